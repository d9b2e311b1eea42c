//! The host: threads, instruction sets, and how a batch is cut into groups for both.

mod groups;
mod simd;
mod threads;

pub use groups::{Items, Places, for_each_group, row_of, rows_of};
pub use simd::{Compute, Isa, LaneKernel, dispatch, isa};
pub use threads::{num_threads, run_in_pool, set_num_threads};
