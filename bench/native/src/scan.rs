//! Scans of codes, top k inside, as `bench/src/cases/scan.ts` does them over WASM.

use lowbit_kernels::buffer::Scratch;
use lowbit_kernels::error::{KernelError, Op};
use lowbit_kernels::hamming::{BinaryCodes, hamming_scan};
use lowbit_kernels::pq_fast_scan::{self, PqBlocks, pq_fast_scan};
use lowbit_kernels::pq_scan::{PqCodes, pq_scan};
use lowbit_kernels::tier::Tier;
use lowbit_kernels::top_k::{self, Selection};

use crate::Loaded;
use crate::task::{Codes, Scan, Tensors};

/// Codes, and tables or queries.
pub(crate) struct Scanned {
    task: Scan,
    /// As scanned: blocks of 4-bit codes.
    codes: Vec<u8>,
    tables: Vec<f32>,
    queries: Vec<u8>,
    scratch: Scratch,
    keys: Vec<u64>,
    ids: Vec<u32>,
}

/// A scan made ready.
pub(crate) fn scan(task: Scan, tensors: &Tensors) -> Result<Scanned, String> {
    let text = |error: KernelError| error.to_string();
    let Scan { rows, parts, queries, top, .. } = task;
    let mut codes = tensors.bytes("codes")?;
    let mut scratch = Scratch::new();
    if task.codes == Codes::Pq4 {
        let halves: Vec<u8> = codes
            .chunks_exact(parts)
            .flat_map(|row| row.chunks(2))
            .map(|pair| pair[0] | pair.get(1).copied().unwrap_or(0) << 4)
            .collect();
        codes = vec![0; pq_fast_scan::block_bytes(rows, parts).map_err(text)?];
        pq_fast_scan::pack(&halves, rows, parts, 0, &mut codes).map_err(text)?;
        scratch.reserve(Op::PqFastScan, pq_fast_scan::scratch_lines(parts)).map_err(text)?;
    }
    let binary = task.codes == Codes::Hamming;
    let tables = if binary { Vec::new() } else { tensors.f32("tables")? };
    let of_queries = if binary { tensors.bytes("queries")? } else { Vec::new() };
    let (keys, ids) = (vec![0; queries * top], vec![0; queries * top]);
    Ok(Scanned { task, codes, tables, queries: of_queries, scratch, keys, ids })
}

impl Scanned {
    fn scan(&mut self) -> Result<(), KernelError> {
        let Self { task, codes, tables, queries, scratch, keys, ids } = self;
        let (n, parts, selection) = (task.rows, task.parts, Selection::default());
        top_k::clear(keys);
        match task.codes {
            Codes::Hamming => {
                hamming_scan(&BinaryCodes { codes, n, bits: parts, selection }, queries, task.queries, keys)?;
            }
            Codes::Pq8 => {
                let codes = PqCodes { codes, n, subspaces: parts, selection };
                pq_scan(Tier::Relaxed, &codes, tables, task.queries, keys)?;
            }
            Codes::Pq4 => {
                let blocks = PqBlocks { blocks: codes, n, subspaces: parts, selection };
                pq_fast_scan(Tier::Relaxed, &blocks, tables, task.queries, keys, scratch.arena())?;
            }
        }
        for (keys, ids) in keys.chunks_exact_mut(task.top).zip(ids.chunks_exact_mut(task.top)) {
            match task.codes {
                Codes::Hamming => top_k::finish(keys, ids, &mut vec![0_i32; task.top])?,
                _ => top_k::finish(keys, ids, &mut vec![0.0_f32; task.top])?,
            }
        }
        Ok(())
    }
}

impl Loaded for Scanned {
    fn run(&mut self) -> Result<(), String> {
        self.scan().map_err(|error| error.to_string())
    }

    fn output(&self) -> Vec<u8> {
        self.ids.iter().flat_map(|id| id.to_le_bytes()).collect()
    }
}
