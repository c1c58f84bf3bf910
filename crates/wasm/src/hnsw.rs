//! [`lowbit_kernels::hnsw`] across the border.

use lowbit_kernels::error::{Op, Result, What, checked_area};
use lowbit_kernels::flat_scan::Rows;
use lowbit_kernels::hnsw::{self, Graph, GraphMut, Insertion, Nodes, Sought, Stored};
use lowbit_kernels::pq_tables::PqTables;
use lowbit_kernels::tier::Tier;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::{status, status_or};
use crate::flat_scan::read_metric;
use crate::handles::with;
use crate::memory::Memory;
use crate::params::Params;
use crate::top_k::{read_filter, read_keys};

const OP: Op = Op::Hnsw;

/// Kind (0 floats, 1 bytes, 2 product codes, 3 `RaBitQ`), codes (array of f32, i8, u8, u8), f32 array (scales of bytes, factors of `RaBitQ`), f32 array
/// (codebooks, mean), M of product codes or bits of `RaBitQ`, handle of the tables of product codes, n, D, metric.
fn with_nodes<R>(
    params: &mut Params<'_>,
    run: impl FnOnce(&Nodes<'_>, &mut Params<'_>) -> Result<R>,
) -> Result<R> {
    let kind = params.size(What::Kind)?;
    let (floats, bytes, codes): (&[f32], &[i8], &[u8]) = match kind {
        0 => (params.array()?, &[], &[]),
        1 => (&[], params.array()?, &[]),
        _ => (&[], &[], params.array()?),
    };
    let (factors, learned) = (params.array()?, params.array()?);
    let (parts, handle) = (params.size(What::Subspaces)?, params.int()?);
    let (n, dimension) = (params.size(What::Rows)?, params.size(What::Depth)?);
    let metric = read_metric(params)?;
    let nodes = |stored| Nodes { stored, n, dimension, metric };
    match kind {
        0 => run(&nodes(Stored::Flat(Rows::Floats(floats))), params),
        1 => run(&nodes(Stored::Flat(Rows::Bytes(bytes, factors))), params),
        2 => with(OP, handle, |tables: &PqTables| {
            let stored = Stored::Pq { codes, tables, codebooks: learned, subspaces: parts };
            run(&Nodes { stored, n, dimension, metric }, params)
        }),
        _ => run(&nodes(Stored::Rabitq { codes, factors, bits: parts, mean: learned }), params),
    }
}

/// M, places (u32 array `[n + 1]`), base (u32 array `[n, 2 M]`), upper (u32 array `[rows, M]`).
fn read_graph<'a>(params: &mut Params<'a>) -> Result<Graph<'a>> {
    Ok(Graph {
        links: params.size(What::Links)?,
        places: params.array()?,
        base: params.array()?,
        upper: params.array()?,
    })
}

/// Draws the levels of nodes `first` .. n into u32 `places [n + 1]`. Returns the rows of upper levels.
#[wasm_bindgen]
pub fn hnsw_draw_levels(seed: u32, links: usize, first: usize, n: usize, places: usize) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let places = memory.write::<u32>(places, n.saturating_add(1))?;
        hnsw::draw_levels(seed, links, first, places)?;
        Ok(places[n] as i32)
    };
    status_or(run())
}

/// Parameters: a graph, entry. Returns 0 where no search can leave it.
#[wasm_bindgen]
pub fn hnsw_check(params: usize, words: usize) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, params, words)?;
        let graph = read_graph(&mut params)?;
        let entry = params.int()? as u32;
        params.end()?;
        graph.check(entry)
    };
    status(run())
}

/// Parameters: nodes, first new node, vectors (f32 array `[n - first, D]` or none), entry, breadth, a graph that is written. Returns the new entry.
#[wasm_bindgen]
pub fn hnsw_insert(params: usize, words: usize) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, params, words)?;
        with_nodes(&mut params, |nodes, params| {
            let first = params.size(What::Rows)?;
            let vectors = params.array()?;
            let (entry, breadth) = (params.int()? as u32, params.size(What::Breadth)?);
            let links = params.size(What::Links)?;
            let places = params.array::<u32>()?;
            let mut written = || -> Result<&mut [u32]> {
                let (pointer, len) = (params.pointer()?, params.size(What::Ids)?);
                memory.write(pointer, len)
            };
            let (base, upper) = (written()?, written()?);
            params.end()?;
            let mut graph = GraphMut { links, places, base, upper };
            let entry =
                hnsw::insert(Tier::BUILD, &mut graph, nodes, &Insertion { first, vectors, entry, breadth })?;
            Ok(entry as i32)
        })
    };
    status_or(run())
}

/// Parameters: nodes, queries (address of f32 `[queries, D]`), entry, breadth, whether there is a filter (0 or 1), filter (u32 array), a graph, queries, address of the keys, k. Returns 0.
#[wasm_bindgen]
pub fn hnsw_search(params: usize, words: usize) -> i32 {
    let run = || {
        let memory = Memory::new(OP);
        let mut params = Params::new(&memory, OP, params, words)?;
        with_nodes(&mut params, |nodes, params| {
            let queries = params.pointer()?;
            let (entry, breadth) = (params.int()? as u32, params.size(What::Breadth)?);
            let filter = read_filter(params)?;
            let graph = read_graph(params)?;
            let (count, keys) = read_keys(&memory, OP, params)?;
            params.end()?;
            let queries = memory.read(queries, checked_area(OP, count, nodes.dimension)?)?;
            hnsw::search(Tier::BUILD, &graph, nodes, &Sought { queries, count, entry, breadth, filter }, keys)
        })
    };
    status(run())
}
