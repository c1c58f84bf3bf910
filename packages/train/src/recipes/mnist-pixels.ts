/** Mean and standard deviation of MNIST's training pixels (0..255), the customary 0.1307 and 0.3081 of 0..1. */
export const MEAN = 33.3285;
export const STD = 78.5655;
