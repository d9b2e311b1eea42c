//! TRC written: what comes back, and what is refused.

use crate::c3d::in_millimetres;
use crate::common::{files_below, shared_data};
use crate::trc::read;
use kinarray::Error;
use kinarray::character::{Marker, MarkerSequence, MarkerSequenceParts, Unit};
use kinarray::io::{Extras, Format, LoadOptions, Markers, Source, load_markers, save_markers};

fn sequence(name: &str) -> MarkerSequence {
    MarkerSequence::new(MarkerSequenceParts {
        name: name.into(),
        marker_names: vec!["head top".into(), "T10-1".into()],
        fps: 59.94,
        start_time: 1.0 / 3.0,
        n_frames: 2,
        positions: vec![
            [0.1, 1.0 / 3.0, -1e-9],
            [9.0; 3],
            [1e22, 0.0, -7.25],
            [2.0 / 3.0, 1.0, 2.0],
        ],
        occluded: vec![false, true, false, false],
        confidence: vec![1.0; 4],
    })
    .unwrap()
}

fn save(sequences: Vec<MarkerSequence>, unit: Unit) -> Result<kinarray::io::Saved, Error> {
    save_markers(
        &Markers { sequences, unit },
        Format::Trc,
        &Extras::default(),
    )
}

#[test]
fn what_is_written_comes_back() {
    let own = sequence("");
    for unit in [Unit::Meter, Unit::Centimeter, Unit::Millimeter] {
        let saved = save(vec![own.clone()], unit).unwrap();
        assert!(saved.warnings.is_empty(), "{:?}", saved.warnings);
        let bytes = saved.into_bytes();
        let source = Source::from_bytes(&bytes);
        assert_eq!(Format::of(&source).unwrap(), Format::Trc);
        let options = LoadOptions {
            unit,
            ..LoadOptions::default()
        };
        let back = load_markers(&source, Format::Trc, &options).unwrap();
        assert!(back.warnings.is_empty(), "{:?}", back.warnings);
        assert_eq!(back.value.unit, unit);
        let mut wanted = MarkerSequenceParts::from(own.clone());
        // A blank cell.
        wanted.positions[1] = [0.0; 3];
        assert_eq!(
            MarkerSequenceParts::from(back.value.sequences[0].clone()),
            wanted
        );
    }
}

#[test]
fn real_files_come_back() {
    let Some(data) = shared_data() else { return };
    let mut files = files_below(&data.join("trc"), &["trc"]);
    files.push(data.join("c3d/walking2.c3d"));
    for path in files {
        let source = Source::open(&path).unwrap();
        let format = Format::of(&source).unwrap();
        let loaded = load_markers(&source, format, &in_millimetres(None)).unwrap();
        let one = &loaded.value.sequences[0];
        let saved = save(vec![one.clone()], Unit::Millimeter).unwrap();
        let back = read(std::str::from_utf8(&saved.into_bytes()).unwrap()).unwrap();
        let back = &back.value.sequences[0];
        assert_eq!(back.marker_names(), one.marker_names());
        assert_eq!(back.occluded(), one.occluded());
        assert_eq!(
            (back.fps(), back.start_time()),
            (one.fps(), one.start_time())
        );
        let cells = back.positions().iter().zip(one.positions());
        for ((back, own), occluded) in cells.zip(one.occluded()) {
            assert!(*occluded || back == own, "{back:?} {own:?}");
        }
    }
}

#[test]
fn subjects_share_a_table_or_are_refused() {
    let saved = save(vec![sequence("a"), sequence("b")], Unit::Meter).unwrap();
    let back = read(std::str::from_utf8(&saved.into_bytes()).unwrap()).unwrap();
    assert_eq!(
        back.value.sequences[0].marker_names(),
        ["a:head top", "a:T10-1", "b:head top", "b:T10-1"]
    );
    let changed = |change: &dyn Fn(&mut MarkerSequenceParts)| {
        let mut parts = MarkerSequenceParts::from(sequence("b"));
        change(&mut parts);
        MarkerSequence::new(parts).unwrap()
    };
    let refused = |sequences: Vec<MarkerSequence>, words: &str| {
        let error = save(sequences, Unit::Meter).unwrap_err();
        assert!(matches!(error, Error::Value { .. }), "{error:?}");
        assert!(error.to_string().contains(words), "{error}");
    };
    let other_rate = changed(&|parts| parts.fps = 60.0);
    refused(vec![sequence("a"), other_rate], "'a' and 'b' differ");
    refused(vec![changed(&|parts| parts.fps = 0.0)], "0 frames a second");
    refused(
        vec![changed(&|parts| parts.positions[0][1] = f64::NAN)],
        "not finite",
    );
    for name in ["", "a\tb", "a\nb", " a"] {
        refused(
            vec![changed(&|parts| parts.marker_names[0] = name.into())],
            "a name",
        );
    }
    refused(vec![], "none");
    let empty: [Vec<&Marker>; 1] = [vec![]];
    let empty = MarkerSequence::from_frames(String::new(), 30.0, &empty).unwrap();
    refused(vec![empty], "no markers");
    let doubtful = changed(&|parts| parts.confidence[0] = 0.5);
    assert_eq!(save(vec![doubtful], Unit::Meter).unwrap().warnings.len(), 2);
}
