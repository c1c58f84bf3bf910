/** A product in slices of its columns, which threads share out where there is one row; see crates/wasm/src/columns.rs. */
import type { KernelInstance } from "./instance.ts";
import { KernelObject, Parameters } from "./kernel-object.ts";

/**
 * Products of one depth whose columns lie side by side in y; but for the last, those that write bits have a multiple of 32. It **takes them over**: they
 * are released, also where the constructor throws. Only an instance with threads has it.
 */
export class Columns extends KernelObject {
  /** @throws ShapeError where the products differ in depth or in the type of y, OutOfRangeError where bits do not fill their words */
  constructor(instance: KernelInstance, products: readonly KernelObject[]) {
    const handles = Int32Array.from(products, (product) => product.release());
    const cost = products.reduce((sum, product) => sum + product.cost, 0);
    super(instance, new Parameters(instance).array(handles).call(instance.exports.columns_new), cost);
  }

  /** @param x [rows, k] of the products' input type @param y [rows, n] of their output type, n being the columns of all */
  run(x: number, rows: number, y: number): void {
    this.call(this.instance.exports.columns_run, x, y, rows);
  }
}
