//! The kernels as machine code, one thread, as an engine of the benchmark: how much of the same source's speed is left in WASM.
//!
//! A line of JSON each way; arrays travel as files of little-endian elements. `{ op: "load", id, task, tensors: { name: path } }` makes a case ready,
//! `{ op: "time", id, iterations }` answers with the milliseconds of so many runs, `{ op: "output", id, path }` writes what the last run computed,
//! `{ op: "drop", id }` forgets the case. What goes wrong comes back as `{ error }`.

use std::collections::HashMap;
use std::io::{self, BufRead, Write};
use std::time::Instant;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::product::product;
use crate::scan::scan;
use crate::task::{Task, Tensors};

mod product;
mod scan;
mod task;

/// A case made ready.
trait Loaded {
    /// Once, from inputs in place to outputs in place.
    fn run(&mut self) -> Result<(), String>;
    /// Bytes of what the last run computed.
    fn output(&self) -> Vec<u8>;
}

#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "lowercase")]
enum Request {
    Version,
    Load { id: u32, task: Task, tensors: HashMap<String, String> },
    Time { id: u32, iterations: u32 },
    Output { id: u32, path: String },
    Drop { id: u32 },
}

#[derive(Default)]
struct Cases(HashMap<u32, Box<dyn Loaded>>);

impl Cases {
    fn case(&mut self, id: u32) -> Result<&mut Box<dyn Loaded>, String> {
        self.0.get_mut(&id).ok_or_else(|| format!("no case {id}"))
    }

    fn answer(&mut self, line: &str) -> Result<Value, String> {
        match serde_json::from_str(line).map_err(|error| error.to_string())? {
            Request::Version => Ok(json!({ "version": env!("CARGO_PKG_VERSION") })),
            Request::Load { id, task, tensors } => {
                let tensors = Tensors::new(tensors);
                let case: Box<dyn Loaded> = match task {
                    Task::Gemm(_) | Task::Conv(_) => product(&task, &tensors)?,
                    Task::Scan(scanned) => Box::new(scan(scanned, &tensors)?),
                };
                self.0.insert(id, case);
                Ok(json!({}))
            }
            Request::Time { id, iterations } => {
                let case = self.case(id)?;
                let start = Instant::now();
                for _ in 0..iterations {
                    case.run()?;
                }
                Ok(json!({ "ms": start.elapsed().as_secs_f64() * 1000.0 }))
            }
            Request::Output { id, path } => {
                std::fs::write(&path, self.case(id)?.output()).map_err(|error| format!("{path}: {error}"))?;
                Ok(json!({}))
            }
            Request::Drop { id } => {
                self.0.remove(&id);
                Ok(json!({}))
            }
        }
    }
}

fn main() -> io::Result<()> {
    let mut cases = Cases::default();
    let mut out = io::stdout();
    for line in io::stdin().lock().lines() {
        let reply = cases.answer(&line?).unwrap_or_else(|error| json!({ "error": error }));
        writeln!(out, "{reply}")?;
        out.flush()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A case over the protocol: loaded, timed, and its output read back.
    fn output(task: &Value, tensors: &[(&str, Vec<u8>)]) -> Vec<u8> {
        static FOLDERS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let unique = FOLDERS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("lowbit-native-{}-{unique}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let path = |name: &str| folder.join(name).to_string_lossy().into_owned();
        let mut paths = HashMap::new();
        for (name, bytes) in tensors {
            std::fs::write(path(name), bytes).expect("written");
            paths.insert(*name, path(name));
        }
        let mut cases = Cases::default();
        let mut ask = |request: Value| cases.answer(&request.to_string());
        ask(json!({ "op": "load", "id": 7, "task": task, "tensors": paths })).expect("loaded");
        let timed = ask(json!({ "op": "time", "id": 7, "iterations": 3 })).expect("timed");
        assert!(timed["ms"].as_f64().is_some_and(|ms| ms >= 0.0));
        ask(json!({ "op": "output", "id": 7, "path": path("y") })).expect("written");
        ask(json!({ "op": "drop", "id": 7 })).expect("dropped");
        assert_eq!(ask(json!({ "op": "time", "id": 7, "iterations": 1 })), Err("no case 7".into()));
        let y = std::fs::read(path("y")).expect("there");
        std::fs::remove_dir_all(folder).expect("removed");
        y
    }

    #[test]
    fn products_are_those_of_plain_loops() {
        let (m, n, k) = (5, 19, 70);
        let draw = |count: usize, from: usize, low: i32, high: i32| -> Vec<i32> {
            (from..from + count).map(|i| low + (i * i * 31 % 977) as i32 % (high - low + 1)).collect()
        };
        for (x, w, (low, high)) in
            [("int8", "trit", (-1, 1)), ("int8", "int4", (-8, 7)), ("int8", "weight8", (-127, 127))]
        {
            let (a, b) = (draw(m * k, 3, -128, 127), draw(n * k, 11, low, high));
            let bytes = |values: &[i32]| values.iter().map(|v| *v as u8).collect::<Vec<_>>();
            let task =
                json!({ "op": "gemm", "m": m, "n": n, "k": k, "x": x, "w": w, "y": { "kind": "int32" } });
            let y = output(&task, &[("x", bytes(&a)), ("w", bytes(&b))]);
            let expected: Vec<u8> = (0..m * n)
                .map(|at| (0..k).map(|i| a[at / n * k + i] * b[at % n * k + i]).sum::<i32>())
                .flat_map(i32::to_le_bytes)
                .collect();
            assert_eq!(y, expected, "{w}");
        }
    }

    #[test]
    fn scans_find_the_nearest() {
        let (rows, bits) = (300, 64);
        let codes: Vec<u8> = (0..rows * bits / 8).map(|i| (i * i * 13 % 251) as u8).collect();
        let query = codes[8 * 123..][..8].to_vec();
        let task =
            json!({ "op": "scan", "codes": "hamming", "queries": 1, "rows": rows, "parts": bits, "top": 10 });
        let ids = output(&task, &[("codes", codes.clone()), ("queries", query.clone())]);
        let distance = |row: usize| -> u32 {
            codes[8 * row..][..8].iter().zip(&query).map(|(a, b)| (a ^ b).count_ones()).sum()
        };
        let mut order: Vec<usize> = (0..rows).collect();
        order.sort_by_key(|row| (distance(*row), *row));
        let expected: Vec<u8> = order[..10].iter().flat_map(|row| (*row as u32).to_le_bytes()).collect();
        assert_eq!(ids, expected);
    }

    #[test]
    fn what_is_not_there_is_named() {
        let mut cases = Cases::default();
        let mut error = |line: &str| cases.answer(line).expect_err("refused");
        assert_eq!(error(r#"{"op":"drop2"}"#).split('`').nth(1), Some("drop2"));
        let task = r#"{"op":"gemm","m":1,"n":1,"k":1,"x":"int8","w":"int8","y":{"kind":"int32"}}"#;
        assert_eq!(error(&format!(r#"{{"op":"load","id":1,"task":{task},"tensors":{{}}}}"#)), "no tensor w");
    }
}
