//! TRC: real files against numpy and OpenSim and what programs write otherwise.

use crate::c3d::{compare, factor, in_millimetres, json};
use crate::common::{files_below, shared_data};
use kinarray::Error;
use kinarray::character::Unit;
use kinarray::io::{Format, LoadOptions, Loaded, Markers, Source, Up, load_markers};

pub fn read(text: &str) -> Result<Loaded<Markers>, Error> {
    let source = Source::from_bytes(text.as_bytes());
    load_markers(&source, Format::Trc, &in_millimetres(None))
}

#[test]
fn places_agree_with_the_reference_values() {
    let Some(data) = shared_data() else { return };
    let mut files = files_below(&data.join("trc"), &["trc"]);
    files.extend(files_below(&data.join("opensim_ik"), &["trc"]));
    assert_eq!(files.len(), 8);
    for path in files {
        let name = path.strip_prefix(&data).unwrap().to_str().unwrap();
        let wanted = json(&data.join(format!("expected/{name}.json")));
        let source = Source::open(&path).unwrap();
        assert_eq!(Format::of(&source).unwrap(), Format::Trc);
        let loaded = load_markers(&source, Format::Trc, &in_millimetres(None)).unwrap();
        let [one] = &loaded.value.sequences[..] else {
            panic!("{name}")
        };
        assert_eq!(loaded.up, Up::Y);
        assert_eq!(wanted["counts"]["frames"], one.n_frames());
        let labels: Vec<&str> = one.marker_names().iter().map(String::as_str).collect();
        assert_eq!(wanted["labels"], serde_json::json!(labels));
        let number = |word: &serde_json::Value| word.as_str().unwrap().parse::<f64>().unwrap();
        assert_eq!(one.fps(), number(&wanted["header"]["DataRate"]));
        assert_eq!(one.start_time(), number(&wanted["first_time"]));
        let factor = factor(&wanted["header"]["Units"]);
        let compared = compare(&loaded.value, &wanted, factor, |label| {
            let names = one.marker_names();
            (0, names.iter().position(|own| own == label).unwrap())
        });
        println!("{name}: {compared} coordinates, {:?}", loaded.warnings);
        let announced = number(&wanted["header"]["NumFrames"]);
        let fewer = announced != one.n_frames() as f64;
        let said = |words: &str| loaded.warnings.iter().any(|one| one.contains(words));
        assert_eq!(said("announces"), fewer, "{name}");
        // Every tenth frame of a take, in a header that says otherwise.
        let slow = name.ends_with("std_walking2_markers.trc");
        assert_eq!(said("by the times of the rows"), slow, "{name}");
        assert_eq!(
            loaded.warnings.len(),
            usize::from(fewer) + usize::from(slow),
            "{name}"
        );
    }
}

#[test]
fn the_take_is_the_same_as_in_its_c3d() {
    let Some(data) = shared_data() else { return };
    let load = |name: &str| {
        let source = Source::open(&data.join(name)).unwrap();
        let format = Format::of(&source).unwrap();
        let loaded = load_markers(&source, format, &in_millimetres(None)).unwrap();
        loaded.value.sequences.into_iter().next().unwrap()
    };
    let (table, take) = (
        load("trc/std_walking2_markers.trc"),
        load("c3d/walking2.c3d"),
    );
    let mut compared = 0;
    for frame in 0..table.n_frames() {
        let in_take = (frame * 10).min(take.n_frames() - 1);
        for marker in 0..table.n_markers() {
            let own = table.marker(frame, marker).unwrap();
            let names = take.marker_names();
            let other = names.iter().position(|name| *name == own.name).unwrap();
            let other = take.marker(in_take, other).unwrap();
            assert_eq!(own.occluded, other.occluded, "{} in {frame}", own.name);
            for (own, other) in own.pos.iter().zip(other.pos).filter(|_| !own.occluded) {
                // Five digits.
                assert!((own - other).abs() <= 0.05 + 1e-9, "{own} {other}");
                compared += 1;
            }
        }
    }
    assert_eq!(compared, 3 * 2735);
}

const KEYS: &str = "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\n";

/// A table of two markers.
fn table(rows: &str) -> String {
    format!(
        "PathFileType\t4\t(X/Y/Z)\tx.trc\n{KEYS}10\t10\t2\t2\tmm\nFrame#\tTime\tone\t\t\ttwo\t\t\n\
         \t\tX1\tY1\tZ1\tX2\tY2\tZ2\n\n{rows}"
    )
}

#[test]
fn what_programs_write_otherwise() {
    let plain = table("1\t0.5\t1\t-2\t3\t4\t5\t6\n2\t0.6\t1e2\t+.5\t5.\t\t\t\n");
    let wanted = read(&plain).unwrap();
    let one = &wanted.value.sequences[0];
    assert_eq!((one.fps(), one.start_time()), (10.0, 0.5));
    assert_eq!(
        one.positions(),
        [
            [1.0, -2.0, 3.0],
            [4.0, 5.0, 6.0],
            [100.0, 0.5, 5.0],
            [0.0; 3]
        ]
    );
    assert_eq!(one.occluded(), [false, false, false, true]);
    assert!(wanted.warnings.is_empty(), "{:?}", wanted.warnings);
    let blanks = ["NaN", "nan", "-NAN", "1.#QNAN", "-1.#IND", "-nan(ind)", " "];
    let hidden = blanks.map(|blank| plain.replace("5.\t\t\t\n", &format!("5.\t{blank}\t1\t2\n")));
    let spaced = table("1 0.5 1 -2 3 4 5 6\n2 0.6  1e2 +.5 5. nan nan nan\n");
    for (what, text) in [
        ("CRLF", plain.replace('\n', "\r\n")),
        ("CR", plain.replace('\n', "\r")),
        ("commas", plain.replace('\t', ",")),
        ("a byte order mark", format!("\u{feff}{plain}")),
        (
            "names in other cells",
            plain.replace("one\t\t\ttwo\t\t", "\tone\t\ttwo"),
        ),
        (
            "no names of coordinates",
            plain.replace("\t\tX1\tY1\tZ1\tX2\tY2\tZ2\n", ""),
        ),
        ("no blank line", plain.replace("\n\n", "\n")),
        ("blank lines", plain.replace('\n', "\n\t\t\n")),
        ("cells more", plain.replace('\n', "\t\t\n")),
        ("cells less", plain.replace("5.\t\t\t\n", "5.\n")),
        (
            "words of other case",
            plain.replace("DataRate", "DATARATE").replace("mm", "MM"),
        ),
        (
            "the rate of the camera",
            plain.replace("10\t10\t2", "\t10\t2"),
        ),
        (
            "spaces around",
            plain.replace("two", " two ").replace("-2", "  -2 "),
        ),
        (
            "spaces for tabs",
            spaced.replace('\t', " ").replace("\n  X1", "\nX1"),
        ),
        ("spaces in rows", spaced),
    ]
    .into_iter()
    .chain(hidden.into_iter().map(|text| ("no number", text)))
    {
        let loaded = read(&text).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(loaded.value, wanted.value, "{what}");
        assert_eq!(loaded.warnings, wanted.warnings, "{what}");
    }
}

#[test]
fn units_are_the_files_own() {
    let plain = table("1\t0\t1\t2\t3\t4\t5\t6\n2\t0.1\t1\t2\t3\t4\t5\t6\n");
    let load = |text: &str, unit, file_unit| {
        let options = LoadOptions {
            unit,
            file_unit,
            ..LoadOptions::default()
        };
        load_markers(&Source::from_bytes(text.as_bytes()), Format::Trc, &options)
    };
    let x =
        |text: &str, unit, own| load(text, unit, own).unwrap().value.sequences[0].positions()[0][0];
    assert_eq!(x(&plain, Unit::Meter, None), 0.001);
    assert_eq!(x(&plain.replace("mm", "m"), Unit::Centimeter, None), 100.0);
    assert_eq!(x(&plain.replace("mm", "meters"), Unit::Meter, None), 1.0);
    // What a file says stands.
    let centimetres = Some(Unit::Centimeter);
    assert_eq!(x(&plain, Unit::Millimeter, centimetres), 1.0);
    assert_eq!(
        x(&plain.replace("mm", ""), Unit::Millimeter, centimetres),
        10.0
    );
    assert_eq!(x(&plain.replace("mm", ""), Unit::Millimeter, None), 1.0);
    let error = load(&plain.replace("mm", "cubits"), Unit::Meter, None).unwrap_err();
    assert!(error.to_string().contains("Units"), "{error}");
}

#[test]
fn faults_name_their_line() {
    let good = table("1\t0\t1\t2\t3\t4\t5\t6\n2\t0.1\t1\t2\t3\t4\t5\t6\n");
    assert!(read(&good).unwrap().warnings.is_empty());
    for (from, to, place) in [
        ("PathFileType", "Path", "line 1"),
        ("10\t10\t2", "0\t-1\t2", "line 3"),
        ("10\t10\t2", "10\t10\tmany", "line 3"),
        ("10\t10\t2\t2", "10\t10\t2\t3", "line 4"),
        ("10\t10\t2\t2", "10\t10\t2\t1000000000000", "line 4"),
        ("10\t10\t2\t2", "10\t10\t2\t0", "line 4"),
        ("10\t10\t2\t2", "10\t10\t2\t1", "line 4"),
        ("Frame#", "Frage", "line 4"),
        ("Time", "one", "line 4"),
        ("4\t5\t6\n2", "4\tfive\t6\n2", "line 7"),
        ("4\t5\t6\n2", "4\tinf\t6\n2", "line 7"),
        ("4\t5\t6\n2", "4\t5\t6\t7\n2", "line 7"),
        ("2\t0.1", "2\t", "line 8"),
        ("2\t0.1", "two\t0.1", "line 8"),
        ("5\t6\n2", "5\n2", "line 7"),
    ] {
        assert!(good.contains(from), "{from}");
        let error = read(&good.replacen(from, to, 1)).unwrap_err();
        assert!(matches!(error, Error::Format { .. }), "{error:?}");
        assert!(error.to_string().contains(place), "{from} {to}: {error}");
    }
    // Two names for three markers, and no telling whose they are.
    let loose = good.replace("10\t10\t2\t2", "10\t10\t2\t3");
    let loose = loose.replace("one\t\t\ttwo\t\t", "one\ttwo\t\t\t\t\t\t\t");
    let error = read(&loose).unwrap_err().to_string();
    assert!(error.contains("3 names of markers"), "{error}");
    // A last row that the end of the file cut after a whole marker.
    let cut = good.strip_suffix("\t4\t5\t6\n").unwrap();
    assert!(read(cut).unwrap_err().to_string().contains("line 8"));
    for length in 0..good.len() {
        let _ = read(&good[..length]);
    }
    // Three bytes a marker in the header, none in the rows.
    let n_markers = 20_000;
    let names = "\tm\t\t".repeat(n_markers);
    let rows = "1\t0\n".repeat(20_000);
    let lying =
        format!("PathFileType\n{KEYS}1\t1\t20000\t{n_markers}\tmm\nFrame#\tTime{names}\n{rows}");
    let error = read(&lying).unwrap_err();
    assert!(error.to_string().contains("60000 coordinates"), "{error}");
}

#[test]
fn nameless_markers_get_names() {
    let text = table("1\t0\t1\t2\t3\t4\t5\t6\n2\t0.1\t1\t2\t3\t4\t5\t6\n").replace("two", "");
    let loaded = read(&text).unwrap();
    assert_eq!(
        loaded.value.sequences[0].marker_names(),
        ["one", "unlabeled_2"]
    );
    assert_eq!(loaded.warnings, ["1 of the markers have no name"]);
}

#[test]
fn damaged_files_are_refused() {
    let Some(data) = shared_data() else { return };
    let files = files_below(&data.join("invalid/damaged/trc"), &["trc"]);
    assert_eq!(files.len(), 4);
    for path in files {
        let source = Source::open(&path).unwrap();
        let error = load_markers(&source, Format::Trc, &LoadOptions::default()).unwrap_err();
        println!("{error}");
        let place = match path.file_name().unwrap().to_str().unwrap() {
            "cut_in_row.trc" => "line 8",
            "word_in_row.trc" => "line 6",
            _ => "line 4",
        };
        assert!(error.to_string().contains(place), "{error}");
    }
}
