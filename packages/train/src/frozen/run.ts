import { autograd, np } from "../autograd.ts";
import { convolve } from "../layers/conv.ts";
import { type Arrays, type HostTensor, toArrays } from "../values.ts";
import type { FrozenLayer } from "./layers.ts";
import { transpose } from "./layout.ts";

/**
 * Compiles a frozen network: pixels [N,28,28,1] -> logits, on exactly the weights that are exported. All final figures come
 * from here. Takes its argument.
 */
export function compileFrozen(layers: readonly FrozenLayer[]): (pixels: np.Array) => np.Array {
  const weights = toArrays(Object.assign({}, ...layers.map(weightsOf)));
  const run = autograd.compile((x: np.Array, tensors: Arrays) =>
    layers.reduce((value, layer) => apply(layer, value, tensors), x),
  );
  return (pixels) => run(pixels, Object.fromEntries(Object.entries(weights).map(([name, array]) => [name, array.ref])));
}

/** The tensors of a layer as `apply` wants them: convolutions by tap, dense weights [K, O]. */
function weightsOf(layer: FrozenLayer): Record<string, HostTensor> {
  switch (layer.kind) {
    case "conv": {
      const [outputs, inputs, size] = layer.weight.shape as [number, number, number];
      const { data } = transpose(layer.weight, [2, 3, 1, 0]);
      return { [layer.name]: { shape: [size * size, inputs, outputs], data }, ...biasOf(layer) };
    }
    case "dense":
      return {
        [layer.name]: transpose(layer.weight, [1, 0]),
        ...biasOf(layer),
      };
    case "batchNorm": {
      const { name, scale, bias, mean, variance } = layer;
      return {
        [`${name}.scale`]: scale,
        [`${name}.bias`]: bias,
        [`${name}.mean`]: mean,
        [`${name}.variance`]: variance,
      };
    }
    default:
      return {};
  }
}

const biasOf = ({ name, bias }: { name: string; bias?: HostTensor }): Record<string, HostTensor> =>
  bias === undefined ? {} : { [`${name}.bias`]: bias };

function apply(layer: FrozenLayer, x: np.Array, tensors: Arrays): np.Array {
  const tensor = (name: string) => tensors[name] as np.Array;
  switch (layer.kind) {
    case "normalize":
      return x.sub(layer.mean).div(layer.std);
    case "quantize": {
      const { scale, zeroPoint } = layer;
      return np
        .clip(np.round(x.div(scale)).add(zeroPoint), -128, 127)
        .sub(zeroPoint)
        .mul(scale);
    }
    case "conv": {
      const y = convolve(x, tensor(layer.name), layer.border, false);
      return layer.bias === undefined ? y : y.add(tensor(`${layer.name}.bias`));
    }
    case "flatten":
      return x.transpose([0, 3, 1, 2]).reshape([x.shape[0] as number, -1]);
    case "dense": {
      const product = np.matmul(x, tensor(layer.name));
      return layer.bias === undefined ? product : product.add(tensor(`${layer.name}.bias`));
    }
    case "batchNorm": {
      const deviation = np.sqrt(tensor(`${layer.name}.variance`).add(layer.epsilon));
      const centred = x.sub(tensor(`${layer.name}.mean`)).div(deviation);
      return centred.mul(tensor(`${layer.name}.scale`)).add(tensor(`${layer.name}.bias`));
    }
    case "relu":
      return np.maximum(x, 0);
    case "sign":
      return np.sign(x);
    case "maxPool": {
      const [n, height, width, channels] = x.shape as [number, number, number, number];
      return x.reshape([n, height / 2, 2, width / 2, 2, channels]).max([2, 4]);
    }
  }
}
