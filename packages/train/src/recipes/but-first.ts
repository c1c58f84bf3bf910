import type { QuantizerChoice, WeightQuantizer } from "../strategies/quantized.ts";

/** A quantizer of all weights but the first convolution's, which stay float (as in XNOR-Net, Rastegari et al. 2016): a few hundred weights of which all else is made. */
export const butFirst =
  (quantizer: WeightQuantizer): QuantizerChoice =>
  ({ name }) =>
    name === "conv1.weight" ? undefined : quantizer;
