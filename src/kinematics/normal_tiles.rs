//! A mesh cut into tiles, so that many poses of it are worked on side by side in near memory.

/// Vertices of a tile: with lanes for each number, what a tile needs fits the second level of the cache.
const TILE: usize = 1024;

/// Vertices in a row, and the triangles around them.
#[derive(Debug, Clone)]
pub(super) struct Tile {
    /// The first vertex, and how many there are.
    pub(super) start: usize,
    pub(super) count: usize,
    /// Vertices of other tiles that the triangles use. In the triangles they come after the tile's own.
    pub(super) around: Vec<u32>,
    /// Triangles that use a vertex of the tile, in the order of the mesh.
    pub(super) triangles: Vec<[u32; 3]>,
}

/// Cuts a mesh whose triangles are in range. A triangle across tiles is in each of them.
pub(super) fn cut(triangles: &[[u32; 3]], n_vertices: usize) -> Vec<Tile> {
    let starts = (0..n_vertices).step_by(TILE);
    let mut tiles: Vec<Tile> = starts
        .map(|start| Tile {
            start,
            count: TILE.min(n_vertices - start),
            around: Vec::new(),
            triangles: Vec::new(),
        })
        .collect();
    for &triangle in triangles {
        let [a, b, c] = triangle.map(|vertex| vertex as usize / TILE);
        tiles[a].triangles.push(triangle);
        if b != a {
            tiles[b].triangles.push(triangle);
        }
        if c != a && c != b {
            tiles[c].triangles.push(triangle);
        }
    }
    // Where a vertex of another tile is among those around this one, and for which tile that was noted.
    let mut noted = vec![(u32::MAX, 0_u32); n_vertices];
    for (number, tile) in tiles.iter_mut().enumerate() {
        for vertex in tile.triangles.as_flattened_mut() {
            let own = (*vertex as usize).wrapping_sub(tile.start);
            if own < tile.count {
                *vertex = own as u32;
                continue;
            }
            let note = &mut noted[*vertex as usize];
            if note.0 != number as u32 {
                *note = (number as u32, (tile.count + tile.around.len()) as u32);
                tile.around.push(*vertex);
            }
            *vertex = note.1;
        }
    }
    tiles
}
