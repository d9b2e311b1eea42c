use crate::common::{files_below, shared_data};
use kinarray::io::{Format, LoadOptions, MotionChoice, Source, load_character, load_motion};
#[test]
fn every_damaged_file_is_refused_or_read() {
    let Some(data) = shared_data() else { return };
    for file in files_below(&data, &["usda", "usdc"]) {
        let source = Source::open(&file).unwrap();
        let l = load_character(&source, Format::Usd, &LoadOptions::default());
        match l {
            Ok(l) => println!("{} OK {:?}", file.display(), l.warnings),
            Err(e) => println!("ERR {e}"),
        }
        let _ = load_motion(
            &source,
            Format::Usd,
            &LoadOptions::default(),
            &MotionChoice::default(),
            None,
        );
    }
}
