//! What a case asks for, as `bench/src/task.ts` describes it, and its tensors.

use std::collections::HashMap;

use serde::Deserialize;

/// Element kinds of tensors.
#[derive(Clone, Copy, Deserialize, PartialEq, Eq, Debug)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Values {
    Sign,
    Trit,
    Int2,
    Int4,
    Int8,
    Uint8,
    Weight8,
    F32,
}

#[derive(Clone, Copy, Deserialize, Debug)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(crate) enum Result {
    Int32,
    F32,
    Int8 { step: f32 },
    Bits,
}

#[derive(Clone, Copy, Deserialize, Debug)]
pub(crate) struct Gemm {
    pub(crate) m: usize,
    pub(crate) n: usize,
    pub(crate) k: usize,
    pub(crate) x: Values,
    pub(crate) w: Values,
    pub(crate) y: Result,
    #[serde(default)]
    pub(crate) cold: bool,
}

#[derive(Clone, Copy, Deserialize, Debug)]
pub(crate) struct Conv {
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) channels: usize,
    pub(crate) kernel: [usize; 2],
    pub(crate) outputs: usize,
    pub(crate) stride: usize,
    pub(crate) groups: usize,
    pub(crate) pads: [usize; 4],
    pub(crate) x: Values,
    pub(crate) w: Values,
    pub(crate) y: Result,
}

#[derive(Clone, Copy, Deserialize, Debug, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Codes {
    Pq8,
    Pq4,
    Hamming,
}

#[derive(Clone, Copy, Deserialize, Debug)]
pub(crate) struct Scan {
    pub(crate) codes: Codes,
    pub(crate) queries: usize,
    pub(crate) rows: usize,
    pub(crate) parts: usize,
    pub(crate) top: usize,
}

#[derive(Clone, Copy, Deserialize, Debug)]
#[serde(tag = "op", rename_all = "lowercase")]
pub(crate) enum Task {
    Gemm(Gemm),
    Conv(Conv),
    Scan(Scan),
}

/// Bytes of weights that no cache holds; a cold task rotates over as many, as `coldCopies` of `bench/src/task.ts`.
const COLD_BYTES: usize = 64 << 20;

pub(crate) fn cold_copies(bytes: usize) -> usize {
    COLD_BYTES / bytes + 1
}

/// Arrays by name.
pub(crate) struct Tensors(HashMap<String, String>);

impl Tensors {
    pub(crate) fn new(paths: HashMap<String, String>) -> Self {
        Self(paths)
    }

    pub(crate) fn bytes(&self, name: &str) -> std::result::Result<Vec<u8>, String> {
        let path = self.0.get(name).ok_or_else(|| format!("no tensor {name}"))?;
        std::fs::read(path).map_err(|error| format!("{path}: {error}"))
    }

    pub(crate) fn i8(&self, name: &str) -> std::result::Result<Vec<i8>, String> {
        Ok(self.bytes(name)?.into_iter().map(|byte| byte as i8).collect())
    }

    fn words<T>(&self, name: &str, of: fn([u8; 4]) -> T) -> std::result::Result<Vec<T>, String> {
        Ok(self.bytes(name)?.as_chunks::<4>().0.iter().map(|word| of(*word)).collect())
    }

    pub(crate) fn f32(&self, name: &str) -> std::result::Result<Vec<f32>, String> {
        self.words(name, f32::from_le_bytes)
    }

    pub(crate) fn i32(&self, name: &str) -> std::result::Result<Vec<i32>, String> {
        self.words(name, i32::from_le_bytes)
    }
}
