//! Kernels for 1-8 bit networks.
