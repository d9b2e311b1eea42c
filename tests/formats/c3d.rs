//! C3D: real files against ezc3d, and broken ones.

use crate::common::{files_below, shared_data};
use kinarray::Error;
use kinarray::character::Unit;
use kinarray::io::{Format, LoadOptions, Loaded, Markers, Source, Up, load_markers};
use serde_json::Value;
use std::path::Path;

pub fn in_millimetres(up: Option<Up>) -> LoadOptions {
    LoadOptions {
        unit: Unit::Millimeter,
        up,
        ..LoadOptions::default()
    }
}

pub fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// How many millimetres the unit of the reference values has.
pub fn factor(unit: &Value) -> f64 {
    match unit.as_str().unwrap() {
        "mm" => 1.0,
        "m" => 1000.0,
        other => panic!("{other}"),
    }
}

/// Where a marker of that full name is, as `(sequence, marker)`.
fn find(markers: &Markers, label: &str) -> (usize, usize) {
    let (subject, name) = label.split_once(':').unwrap_or(("", label));
    let sequences = &markers.sequences;
    let at = sequences.iter().position(|one| one.name() == subject);
    let at = at.unwrap_or_else(|| panic!("no subject {subject}"));
    let names = sequences[at].marker_names();
    (at, names.iter().position(|own| own == name).unwrap())
}

/// Compares frames, counts of hidden samples and the box of all visible points with the reference values;
/// answers how many points were compared.
pub fn compare(
    markers: &Markers,
    wanted: &Value,
    factor: f64,
    find: impl Fn(&str) -> (usize, usize),
) -> usize {
    let mut compared = 0;
    for frame in wanted["frames"].as_array().unwrap() {
        let at = frame["frame"].as_u64().unwrap() as usize;
        for (label, place) in frame["points"].as_object().unwrap() {
            let (sequence, marker) = find(label);
            let own = markers.sequences[sequence].marker(at, marker).unwrap();
            let place = place.as_array().unwrap();
            assert_eq!(own.occluded, place[0].is_null(), "{label} in {at}");
            for (axis, wanted) in place.iter().enumerate().filter(|_| !own.occluded) {
                let wanted = wanted.as_f64().unwrap() * factor;
                // Printed with nine digits; integers times a scale are single precision in ezc3d.
                let limit = 2e-7 * wanted.abs().max(100.0);
                assert!(
                    (own.pos[axis] - wanted).abs() < limit,
                    "{label} in {at}: {own:?} {wanted}"
                );
                compared += 1;
            }
        }
    }
    let missing = wanted["missing_by_marker"].as_object().unwrap();
    for (label, count) in missing {
        let (sequence, marker) = find(label);
        let hidden = markers.sequences[sequence]
            .column(marker)
            .filter(|cell| cell.1)
            .count();
        assert_eq!(*count, hidden, "{label}");
    }
    let cells = || {
        markers.sequences.iter().flat_map(|one| {
            let occluded = one.occluded().iter();
            one.positions().iter().zip(occluded)
        })
    };
    let hidden = cells().filter(|(_, occluded)| **occluded).count();
    assert_eq!(wanted["missing_samples"], hidden);
    for axis in 0..3 {
        let seen = || {
            cells()
                .filter(|(_, occluded)| !**occluded)
                .map(|(pos, _)| pos[axis])
        };
        let bounds = [
            seen().fold(f64::MAX, f64::min),
            seen().fold(f64::MIN, f64::max),
        ];
        for (own, wanted) in bounds
            .iter()
            .zip(wanted["bbox_of_valid_points"].as_array().unwrap())
        {
            let wanted = wanted[axis].as_f64().unwrap() * factor;
            assert!(
                (own - wanted).abs() < 2e-7 * wanted.abs().max(100.0),
                "{own} {wanted}"
            );
        }
    }
    compared
}

#[test]
fn points_agree_with_ezc3d() {
    let Some(data) = shared_data() else { return };
    let files = files_below(&data.join("c3d"), &["c3d"]);
    assert_eq!(files.len(), 5);
    for path in files {
        let name = path.file_name().unwrap().to_str().unwrap();
        let wanted = json(&data.join(format!("expected/c3d/{name}.json")));
        let source = Source::open(&path).unwrap();
        assert_eq!(Format::of(&source).unwrap(), Format::C3d);
        let loaded = load_markers(&source, Format::C3d, &in_millimetres(None)).unwrap();
        let markers = &loaded.value;
        assert_eq!(loaded.up, Up::Z);
        for one in &markers.sequences {
            assert_eq!(wanted["counts"]["point_rate"], one.fps());
            assert_eq!(wanted["counts"]["frames"], one.n_frames());
            assert_eq!(one.start_time(), 0.0);
        }
        let labels = wanted["labels"].as_array().unwrap();
        let n_markers: usize = markers.sequences.iter().map(|one| one.n_markers()).sum();
        assert_eq!(labels.len(), n_markers);
        let factor = factor(&wanted["point_units"]);
        let compared = compare(markers, &wanted, factor, |label| find(markers, label));
        println!("{name}: {compared} coordinates, {:?}", loaded.warnings);
        let n_analog = &wanted["counts"]["analog_channels"];
        let said = loaded
            .warnings
            .iter()
            .any(|one| one.contains(&format!("{n_analog} analog channels")));
        assert_eq!(said, *n_analog != 0);

        // PyMomentum turns +z up to +y up: (x, z, -y).
        let turned = load_markers(&source, Format::C3d, &in_millimetres(Some(Up::Y))).unwrap();
        assert_eq!(turned.up, Up::Y);
        for (own, turned) in markers.sequences.iter().zip(&turned.value.sequences) {
            for (&[x, y, z], turned) in own.positions().iter().zip(turned.positions()) {
                assert_eq!([x, z, -y], *turned);
            }
        }
    }
}

#[test]
fn subjects_are_told_apart_by_the_colon() {
    let Some(data) = shared_data() else { return };
    let source = Source::open(&data.join("c3d/vicon_markers_analogs.c3d")).unwrap();
    let Loaded { value, .. } = load_markers(&source, Format::C3d, &in_millimetres(None)).unwrap();
    let names = |markers: &Markers| -> Vec<(String, usize)> {
        let sequences = markers.sequences.iter();
        sequences
            .map(|one| (one.name().to_owned(), one.n_markers()))
            .collect()
    };
    let wanted = json(&data.join("expected/c3d/vicon_markers_analogs.c3d.json"));
    let of = |subject: &str| {
        let labels = wanted["labels"].as_array().unwrap().iter();
        labels
            .filter(|label| label.as_str().unwrap().starts_with(subject))
            .count()
    };
    let (box_, body) = (of("boite:"), of("Daphnee:"));
    assert_eq!(
        names(&value)[..2],
        [("boite".to_owned(), box_), ("Daphnee".to_owned(), body)]
    );
    let mut main = value.clone();
    main.keep_main_subject();
    assert_eq!(names(&main), [("Daphnee".to_owned(), body)]);
}

#[test]
fn damaged_files_are_refused() {
    let Some(data) = shared_data() else { return };
    let files = files_below(&data.join("invalid/damaged/c3d"), &["c3d"]);
    assert_eq!(files.len(), 6);
    for path in files {
        let name = path.file_name().unwrap().to_str().unwrap();
        let source = Source::open(&path).unwrap();
        let error = load_markers(&source, Format::C3d, &LoadOptions::default()).unwrap_err();
        println!("{error}");
        assert!(matches!(error, Error::Format { .. }), "{name}: {error:?}");
        let place = match name {
            "cut_in_data.c3d" => "frame 93",
            "cut_in_parameters.c3d" => "parameter 'LABELS'",
            "parameters_beyond_end.c3d" => "byte 0",
            "point_count_huge.c3d" => "frame 22",
            "processor_unknown.c3d" => "byte 515",
            _ => "byte 1",
        };
        println!("{name}: {place}");
        assert!(error.to_string().contains(place), "{error}");
    }
}
