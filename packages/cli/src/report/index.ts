/** Entry `@lowbit/cli/report`: self-contained HTML reports from measured figures. */

export { benchPage } from "./bench-page.ts";
export { benchSource, benchTable, type TableChoice } from "./bench-table.ts";
export type { LayerFigures, Refusal, SchemeFigures } from "./figures.ts";
export { formatBytes, formatCount, formatDecibels, formatPercent, formatTimes, significant } from "./format.ts";
export { type QuantizedReport, quantizedPage } from "./quantized-page.ts";
export { type SchemesReport, schemesPage } from "./schemes-page.ts";
export { type TextColumn, textTable } from "./text-table.ts";
