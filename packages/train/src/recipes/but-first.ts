import type { LayerChoice } from "../strategies/strategy.ts";

/** All weights but the first convolution's, which stay float (as in XNOR-Net, Rastegari et al. 2016): a few hundred weights of which all else is made. */
export const butFirst: LayerChoice = ({ name }) => name !== "conv1.weight";
