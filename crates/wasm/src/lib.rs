//! The WASM border of `lowbit-kernels`.
