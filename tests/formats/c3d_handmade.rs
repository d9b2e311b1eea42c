//! C3D files made here: each machine and number type, what files say of themselves, and lies.

use crate::c3d::in_millimetres;
use crate::c3d_maker::{Machine, Maker, read};
use kinarray::Error;
use kinarray::character::{MarkerSequence, Unit};
use kinarray::io::{Format, LoadOptions, Loaded, Markers, Source, Up, load_markers};

fn two_points(machine: Machine, scale: f32) -> Maker {
    let mut maker = Maker::new(machine, scale);
    maker.n_analog = 3;
    maker.first = 26;
    maker.last = 25;
    maker
        .texts("LABELS", &["a:one", "a:two", "three"])
        .texts("UNITS", &["mm"])
        .words(1, "USED", &[3])
        .frame(&[
            [100.0, -200.0, 300.0, 0.0],
            [-1.0, 2.0, -3.0, 259.0],
            [7.0, 8.0, 9.0, -1.0],
        ])
        .frame(&[
            [0.0; 4],
            [0.0, 0.0, 0.0, 1.0],
            [32767.0, -32768.0, 1.0, 0.0],
        ])
}

#[test]
fn every_machine_and_number_type_says_the_same() {
    for machine in [Machine::Intel, Machine::Dec, Machine::Mips] {
        for scale in [0.5, -0.5] {
            let bytes = two_points(machine, scale).bytes();
            let source = Source::from_bytes(&bytes);
            assert_eq!(Format::of(&source).unwrap(), Format::C3d);
            let loaded = read(&bytes).unwrap();
            assert_eq!(
                loaded.warnings,
                ["left out, since only points are read: 3 analog channels"]
            );
            let [a, other] = &loaded.value.sequences[..] else {
                panic!()
            };
            assert_eq!((a.name(), other.name()), ("a", ""));
            assert_eq!(
                (a.marker_names(), other.marker_names()),
                (
                    &["one".to_owned(), "two".to_owned()][..],
                    &["three".to_owned()][..]
                )
            );
            // The header's rate, where no parameter says another.
            assert_eq!((a.fps(), a.n_frames(), a.start_time()), (50.0, 2, 0.5));
            let times = if scale > 0.0 { f64::from(scale) } else { 1.0 };
            let scaled = |places: &[[f64; 3]]| -> Vec<[f64; 3]> {
                places
                    .iter()
                    .map(|place| place.map(|x| x * times))
                    .collect()
            };
            let places = [
                [100.0, -200.0, 300.0],
                [-1.0, 2.0, -3.0],
                [0.0; 3],
                [0.0; 3],
            ];
            assert_eq!(a.positions(), scaled(&places), "{machine:?} {scale}");
            // Four zeros are nothing that was stored; a residual makes the origin a place.
            assert_eq!(a.occluded(), [false, false, true, false]);
            // Hidden, and kept where the file has it.
            assert_eq!(
                other.positions(),
                scaled(&[[7.0, 8.0, 9.0], [32767.0, -32768.0, 1.0]])
            );
            assert_eq!(other.occluded(), [true, false]);
            assert_eq!(a.confidence(), [1.0; 4]);
        }
    }
}

#[test]
fn floats_that_are_no_numbers_are_hidden() {
    let nan = f32::NAN;
    let maker = Maker::new(Machine::Intel, -1.0).frame(&[
        [nan, 1.0, 2.0, 0.0],
        [1.0, f32::INFINITY, 2.0, 0.0],
        [1.0, 2.0, 3.0, nan],
        [1.0, 2.0, 3.0, 0.0],
    ]);
    let one = &maker.load().value.sequences[0];
    assert_eq!(one.occluded(), [true, true, true, false]);
    let kept = [1.0, 2.0, 3.0];
    assert_eq!(one.positions(), [[0.0; 3], [0.0; 3], kept, kept]);
    assert_eq!(
        one.marker_names(),
        ["unlabeled_1", "unlabeled_2", "unlabeled_3", "unlabeled_4"]
    );
}

#[test]
fn parameters_win_over_the_header() {
    let mut maker = Maker::new(Machine::Dec, 0.25)
        .words(1, "USED", &[2])
        .reals("RATE", &[59.94])
        .reals("SCALE", &[0.5])
        .frame(&[[2.0, 4.0, 6.0, 0.0]; 2]);
    maker.header_points = 9;
    let loaded = maker.load();
    let one = &loaded.value.sequences[0];
    assert_eq!(one.fps(), f64::from(59.94_f32));
    assert_eq!(one.positions(), [[1.0, 2.0, 3.0]; 2]);
    assert_eq!(loaded.warnings.len(), 1, "{:?}", loaded.warnings);
    assert!(
        loaded.warnings[0].contains("9 points"),
        "{:?}",
        loaded.warnings
    );
}

#[test]
fn units_and_axes_are_the_files_own() {
    let load = |maker: &Maker, options: &LoadOptions| {
        load_markers(&Source::from_bytes(&maker.bytes()), Format::C3d, options)
    };
    let plain = Maker::new(Machine::Intel, -1.0).frame(&[[1.0, 2.0, 3.0, 0.0]]);
    for (word, metres) in [
        ("mm", 1e-3),
        ("M", 1.0),
        ("cm  ", 1e-2),
        ("dm", 0.1),
        ("in", 0.0254),
    ] {
        let loaded = load(
            &plain.clone().texts("UNITS", &[word]),
            &LoadOptions::default(),
        )
        .unwrap();
        let [x, ..] = loaded.value.sequences[0].positions()[0];
        assert!((x - metres).abs() < 1e-12, "{word} {x}");
        assert_eq!(loaded.value.unit, Unit::Meter);
    }
    let centimetres = LoadOptions {
        file_unit: Some(Unit::Centimeter),
        ..in_millimetres(None)
    };
    let x = |loaded: Result<Loaded<Markers>, Error>| {
        loaded.unwrap().value.sequences[0].positions()[0][0]
    };
    assert_eq!(x(load(&plain, &centimetres)), 10.0);
    assert_eq!(x(load(&plain, &in_millimetres(None))), 1.0);
    let odd = plain.clone().texts("UNITS", &["V"]);
    assert_eq!(x(load(&odd, &centimetres)), 10.0);
    let error = load(&odd, &in_millimetres(None)).unwrap_err().to_string();
    assert!(
        error.contains("POINT:UNITS") && error.contains("file_unit"),
        "{error}"
    );

    for (word, up, n_warnings) in [
        ("+X", Up::X, 0),
        ("+Y", Up::Y, 0),
        ("+Z", Up::Z, 0),
        ("-Y", Up::Y, 1),
        ("?", Up::Z, 1),
    ] {
        let loaded = plain
            .clone()
            .texts("X_SCREEN", &["+X"])
            .texts("Y_SCREEN", &[word])
            .load();
        assert_eq!(
            (loaded.up, loaded.warnings.len()),
            (up, n_warnings),
            "{word}"
        );
    }
    let y_up = plain.texts("Y_SCREEN", &["+Y"]);
    let turned = load(&y_up, &in_millimetres(Some(Up::Z))).unwrap();
    assert_eq!(turned.value.sequences[0].positions(), [[1.0, -3.0, 2.0]]);
}

#[test]
fn points_that_are_no_places_are_named() {
    let maker = Maker::new(Machine::Intel, -1.0)
        .texts("LABELS", &["toe", "knee angle", "load"])
        .texts("ANGLES", &["knee angle", ""])
        .texts("SCALARS", &["load"])
        .frame(&[[1.0, 2.0, 3.0, 0.0]; 3]);
    let loaded = maker.load();
    assert_eq!(loaded.value.sequences[0].n_markers(), 3);
    assert_eq!(loaded.warnings.len(), 1, "{:?}", loaded.warnings);
    assert!(loaded.warnings[0].starts_with("2 of the points are angles"));
}

#[test]
fn labels_go_on_in_further_parameters() {
    let names: Vec<String> = (0..600).map(|at| format!("m{at}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let maker = Maker::new(Machine::Mips, 1.0)
        .words(1, "USED", &[602])
        .texts("LABELS", &names[..255])
        .texts("LABELS2", &names[255..510])
        .texts("LABELS3", &names[510..])
        .frame(&[[1.0, 1.0, 1.0, 0.0]; 602]);
    let loaded = maker.load();
    let own = loaded.value.sequences[0].marker_names();
    assert_eq!(own[..600], names);
    assert_eq!(own[600..], ["unlabeled_601", "unlabeled_602"]);
}

/// One point in so many frames, each of them where its number says.
fn long(n_frames: usize) -> Maker {
    let mut maker = Maker::new(Machine::Intel, 1.0).words(1, "USED", &[1]);
    for frame in 0..n_frames {
        let place = [frame % 1000, frame / 1000, 1, 0];
        maker
            .samples
            .extend(place.iter().flat_map(|&x| (x as u16).to_le_bytes()));
    }
    maker.header_points = 1;
    maker
}

fn check_long(loaded: &Loaded<Markers>, n_frames: usize) {
    let one: &MarkerSequence = &loaded.value.sequences[0];
    assert_eq!(one.n_frames(), n_frames);
    let last = n_frames - 1;
    assert_eq!(
        one.positions()[last],
        [(last % 1000) as f64, (last / 1000) as f64, 1.0]
    );
}

#[test]
fn more_frames_than_the_header_counts() {
    const COUNT: usize = 70_000;
    let trial = |maker: Maker, first: u32, last: u32| {
        let fields = |number: u32| [number as u16, (number >> 16) as u16];
        maker
            .group(2, "TRIAL")
            .words(2, "ACTUAL_START_FIELD", &fields(first))
            .words(2, "ACTUAL_END_FIELD", &fields(last))
    };
    for last in [65535, (COUNT % 65536) as u16] {
        let mut maker = long(COUNT);
        maker.last = last;
        check_long(&trial(maker.clone(), 1, COUNT as u32).load(), COUNT);
        check_long(
            &maker.clone().reals("LONG_FRAMES", &[COUNT as f32]).load(),
            COUNT,
        );
        check_long(
            &maker.clone().reals("FRAMES", &[COUNT as f32]).load(),
            COUNT,
        );
        let bare = maker.clone().words(1, "FRAMES", &[65535]).load();
        if last == 65535 {
            // The file's room is all there is to tell: up to 63 frames may fill its last block.
            let n_frames = bare.value.sequences[0].n_frames();
            assert!((COUNT..COUNT + 64).contains(&n_frames), "{n_frames}");
            assert_eq!(bare.warnings.len(), 1);
        } else {
            check_long(&bare, COUNT % 65536);
        }
    }
    // The trial goes on from frame 100 001.
    let mut maker = long(COUNT);
    (maker.first, maker.last) = (65535, 65535);
    let loaded = trial(maker, 100_001, 170_000).load();
    check_long(&loaded, COUNT);
    assert_eq!(loaded.value.sequences[0].start_time(), 2000.0);
    // As many as the header can just count.
    let mut maker = long(65535);
    maker.last = 65535;
    check_long(&maker.words(1, "FRAMES", &[65535]).load(), 65535);
    // A trial that was cut afterwards: the header tells what is left.
    let mut maker = long(10);
    maker.last = 10;
    check_long(&trial(maker.clone(), 1, 500).load(), 10);
    // The same where the last block has room for as many as the trial had, and where the trial was just so
    // much longer that the header could have begun again.
    check_long(&trial(maker.clone(), 1, 20).load(), 10);
    check_long(&trial(maker, 1, 65546).load(), 10);
}

#[test]
fn lying_headers_are_refused_without_making_room() {
    let plain = || Maker::new(Machine::Intel, 1.0).frame(&[[1.0, 2.0, 3.0, 0.0]; 2]);
    let changed = |change: &dyn Fn(&mut Maker)| {
        let mut maker = plain();
        change(&mut maker);
        maker
    };
    let points = changed(&|maker| maker.header_points = 65535).refused();
    assert!(points.contains("frame 1"), "{points}");
    let frames = changed(&|maker| maker.last = 65534).refused();
    assert!(frames.contains("65534 frames of 16 bytes"), "{frames}");
    let analog = changed(&|maker| maker.n_analog = 65535).refused();
    assert!(analog.contains("frames of 131086 bytes"), "{analog}");
    let many = plain().reals("USED", &[9e8]).refused();
    assert!(many.contains("POINT:USED"), "{many}");
    let none = plain().words(1, "USED", &[0]).refused();
    assert!(none.contains("POINT:USED"), "{none}");
    let long = changed(&|maker| maker.last = 65535)
        .reals("LONG_FRAMES", &[9e8])
        .refused();
    assert!(long.contains("900000000 frames"), "{long}");
    // Sizes that multiply to more than there is, and to more than there can be.
    for sizes in [&[255, 255][..], &[255; 200]] {
        let sizes = plain().parameter(1, "LABELS", -1, sizes, b"abc").refused();
        assert!(sizes.contains("'LABELS'"), "{sizes}");
    }
    // Texts of no length, as many as one likes.
    let empty = plain()
        .parameter(1, "LABELS", -1, &[0, 255, 255, 255, 255], b"")
        .load();
    assert_eq!(
        empty.value.sequences[0].marker_names(),
        ["unlabeled_1", "unlabeled_2"]
    );
    let kind = plain().parameter(1, "X", 3, &[], b"").refused();
    assert!(kind.contains("parameter 'X'"), "{kind}");
    let mut bytes = plain().bytes();
    // The number of parameter blocks is not believed.
    bytes[514] = 255;
    read(&bytes).unwrap();
    // The samples begin behind the end, in the header or in the parameters.
    for block in [250, 1, 2] {
        let mut bytes = bytes.clone();
        bytes[16] = block;
        let error = read(&bytes).unwrap_err().to_string();
        assert!(error.contains("POINT:DATA_START"), "{error}");
    }
    let rate = changed(&|_| ()).reals("RATE", &[0.0]);
    let mut bytes = rate.bytes();
    bytes[20..24].fill(0);
    assert!(read(&bytes).unwrap_err().to_string().contains("POINT:RATE"));
}

#[test]
fn damaged_bytes_never_panic() {
    let bytes = two_points(Machine::Dec, 0.5).bytes();
    for length in 0..bytes.len() {
        let _ = read(&bytes[..length]);
    }
    let mut loaded = 0;
    for at in 0..bytes.len() {
        for value in [0, 1, 0x7f, 0x80, 0xff] {
            let mut damaged = bytes.clone();
            damaged[at] = value;
            loaded += usize::from(read(&damaged).is_ok());
        }
    }
    println!("{loaded} of {} load", 5 * bytes.len());
    assert!(loaded > 0);
}
