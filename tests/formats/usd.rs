use crate::common::{files_below, shared_data};
use kinarray::io::{Source, usd};
#[test]
fn layers() {
    let Some(data) = shared_data() else { return };
    for f in files_below(&data, &["usda", "usdc"]) {
        match usd::read_layer(&Source::open(&f).unwrap()) {
            Ok(l) => println!("{}: {} prims {:?}", f.display(), l.prims.len(), l.left_out),
            Err(e) => println!("{}: {e}", f.display()),
        }
    }
}
