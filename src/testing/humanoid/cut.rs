//! How a cage is cut into as many vertices as asked.
//!
//! Opposite edges of a quadrilateral must be cut into the same number of pieces, so edges fall into
//! classes; each class gets the number that its length asks for, and one length of piece for the whole
//! body sets the number of vertices.

use std::collections::HashMap;

use super::bones::V3;
use super::cage::Cage;

/// The cage, cut.
pub(super) struct Cut {
    pub vertices: Vec<V3>,
    /// Per vertex, the corners of the cage it lies between, and how near it is to each.
    pub corners: Vec<Vec<(usize, f64)>>,
    pub quads: Vec<[usize; 4]>,
}

impl Cage {
    /// Cuts the cage into about `n_vertices` vertices.
    pub fn cut(&self, n_vertices: usize) -> Cut {
        let edges = Edges::new(self);
        // The count falls as pieces grow longer, in steps; keep the best seen while halving.
        let (mut short, mut long) = (1e-5_f64, 1.0_f64);
        let mut best = edges.pieces(long);
        let miss = |pieces: &[usize]| edges.count(self, pieces).abs_diff(n_vertices);
        for _ in 0..60 {
            let middle = (short * long).sqrt();
            let pieces = edges.pieces(middle);
            if edges.count(self, &pieces) > n_vertices {
                short = middle;
            } else {
                long = middle;
            }
            if miss(&pieces) < miss(&best) {
                best = pieces;
            }
        }
        edges.cut(self, &best)
    }
}

/// The edges of a cage, in classes that must be cut alike.
struct Edges {
    /// Both ends, the lower index first, to the edge's number.
    number: HashMap<(usize, usize), usize>,
    ends: Vec<(usize, usize)>,
    class: Vec<usize>,
    /// Typical length of the edges in each class.
    length: Vec<f64>,
}

impl Edges {
    fn new(cage: &Cage) -> Self {
        let mut number = HashMap::new();
        let mut ends = Vec::new();
        let mut parent: Vec<usize> = Vec::new();
        for face in &cage.faces {
            let sides: [usize; 4] = std::array::from_fn(|side| {
                let key = ordered(face[side], face[(side + 1) % 4]);
                *number.entry(key).or_insert_with(|| {
                    ends.push(key);
                    parent.push(parent.len());
                    parent.len() - 1
                })
            });
            for (a, b) in [(sides[0], sides[2]), (sides[1], sides[3])] {
                let (a, b) = (root(&parent, a), root(&parent, b));
                parent[a.max(b)] = a.min(b);
            }
        }
        let class: Vec<usize> = (0..ends.len()).map(|edge| root(&parent, edge)).collect();
        let mut sums = vec![(0.0, 0.0); ends.len()];
        for (edge, &(a, b)) in ends.iter().enumerate() {
            let length: f64 = (cage.vertices[a] - cage.vertices[b]).norm();
            sums[class[edge]].0 += length;
            sums[class[edge]].1 += 1.0;
        }
        let length = sums
            .iter()
            .map(|&(sum, count): &(f64, f64)| sum / count.max(1.0))
            .collect();
        Self {
            number,
            ends,
            class,
            length,
        }
    }

    /// Per class, into how many pieces its edges are cut.
    fn pieces(&self, piece: f64) -> Vec<usize> {
        self.length
            .iter()
            .map(|length| ((length / piece).round() as usize).max(1))
            .collect()
    }

    fn count(&self, cage: &Cage, pieces: &[usize]) -> usize {
        let on_edges: usize = self.class.iter().map(|&class| pieces[class] - 1).sum();
        let inside: usize = cage
            .faces
            .iter()
            .map(|face| {
                let [a, b] = self.across(face, pieces);
                (a - 1) * (b - 1)
            })
            .sum();
        cage.vertices.len() + on_edges + inside
    }

    /// The pieces along a face's first and second side.
    fn across(&self, face: &[usize; 4], pieces: &[usize]) -> [usize; 2] {
        [0, 1].map(|side| pieces[self.class[self.number[&ordered(face[side], face[side + 1])]]])
    }

    fn cut(&self, cage: &Cage, pieces: &[usize]) -> Cut {
        let mut cut = Cut {
            vertices: cage.vertices.clone(),
            corners: (0..cage.vertices.len())
                .map(|corner| vec![(corner, 1.0)])
                .collect(),
            quads: Vec::new(),
        };
        let mut add = |corners: Vec<(usize, f64)>| {
            cut.vertices.push(
                corners
                    .iter()
                    .map(|&(at, weight)| cage.vertices[at] * weight)
                    .sum(),
            );
            cut.corners.push(corners);
            cut.vertices.len() - 1
        };
        let mut first = Vec::with_capacity(self.ends.len());
        for (edge, &(a, b)) in self.ends.iter().enumerate() {
            let n = pieces[self.class[edge]];
            let added: Vec<usize> = (1..n)
                .map(|step| {
                    let t = step as f64 / n as f64;
                    add(vec![(a, 1.0 - t), (b, t)])
                })
                .collect();
            first.push(added);
        }
        let mut quads = Vec::new();
        for face in &cage.faces {
            let [a, b, c, d] = *face;
            let [across, up] = self.across(face, pieces);
            // The vertices from one corner to another, both included.
            let side = |from: usize, to: usize| {
                let inner = &first[self.number[&ordered(from, to)]];
                let forward = from < to;
                let mut all = vec![from];
                all.extend(
                    (0..inner.len()).map(|i| inner[if forward { i } else { inner.len() - 1 - i }]),
                );
                all.push(to);
                all
            };
            let (left, right) = (side(a, d), side(b, c));
            let mut rows = vec![side(a, b)];
            for j in 1..up {
                let mut row = vec![left[j]];
                for i in 1..across {
                    let (s, t) = (i as f64 / across as f64, j as f64 / up as f64);
                    row.push(add(vec![
                        (a, (1.0 - s) * (1.0 - t)),
                        (b, s * (1.0 - t)),
                        (c, s * t),
                        (d, (1.0 - s) * t),
                    ]));
                }
                row.push(right[j]);
                rows.push(row);
            }
            rows.push(side(d, c));
            for pair in rows.windows(2) {
                for i in 0..across {
                    quads.push([pair[0][i], pair[0][i + 1], pair[1][i + 1], pair[1][i]]);
                }
            }
        }
        cut.quads = quads;
        cut
    }
}

fn ordered(a: usize, b: usize) -> (usize, usize) {
    (a.min(b), a.max(b))
}

fn root(parent: &[usize], mut at: usize) -> usize {
    while parent[at] != at {
        at = parent[at];
    }
    at
}
