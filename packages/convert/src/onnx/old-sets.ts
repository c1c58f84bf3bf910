/** Operators whose definition of operator set 7 is older than that, by the set that it came with: files of sets 1 to 6 that have no others read as if they were of set 7. */
const DEFINED: Readonly<Record<number, string>> = {
  1: `ArgMax ArgMin Constant Conv ConvTranspose DepthToSpace Flatten Gather GlobalAveragePool GlobalMaxPool Hardmax Identity LRN LogSoftmax LpNormalization MatMul
    MaxPool Not ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Shape Size Slice Softmax Softplus
    Softsign SpaceToDepth Squeeze TopK Transpose Unsqueeze`,
  2: "GlobalLpPool LpPool Pad Split",
  4: "Concat",
  5: "Reshape",
  6: `Abs Cast Ceil Clip Elu Exp Floor HardSigmoid InstanceNormalization LeakyRelu Log Max Mean Min Neg Reciprocal Relu Selu Sigmoid Sqrt Sum Tanh Tile`,
};

/** Whether operator set `version`, below 7, defines the operator as set 7 does. */
export const isAsInSet7 = (opType: string, version: number): boolean =>
  Object.entries(DEFINED).some(([since, names]) => Number(since) <= version && names.split(/\s+/).includes(opType));
