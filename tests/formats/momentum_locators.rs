//! `.locators`: against PyMomentum, there and back, and faults.

use crate::common::{assert_close, flat, shared_data};
use crate::momentum_figure::{expected, figure, message};
use kinarray::character::{Character, Joint, ParameterTransform, Skeleton, Unit};
use kinarray::character::{CharacterParts, Locator};
use kinarray::io::Source;
use kinarray::io::locators::{LocatorSpace, load_locators, save_locators};
use serde_json::{Value, json};

const OWN: &[u8] = include_bytes!("../data/momentum/figure.locators");
const GLOBAL: &[u8] = include_bytes!("../data/momentum/figure.global.locators");
const LOCAL: &[u8] = include_bytes!("../data/momentum/figure.local.locators");

/// The figure without points of its own.
fn bare() -> Character {
    let mut parts = figure().parts();
    parts.locators = Vec::new().into();
    Character::new(parts).unwrap()
}

fn assert_are(locators: &[Locator], wanted: &Value, per_centimeter: f64) {
    let wanted = wanted.as_array().unwrap();
    assert_eq!(locators.len(), wanted.len());
    for (locator, wanted) in locators.iter().zip(wanted) {
        let of = |key: &str| flat(&wanted[key]);
        let lengths = |key: &str| {
            of(key)
                .iter()
                .map(|x| x * per_centimeter)
                .collect::<Vec<_>>()
        };
        assert_eq!(wanted["name"], *locator.name);
        assert_eq!(wanted["parent"], locator.parent);
        // PyMomentum goes through the world in single precision, 130 cm from its origin.
        let tolerance = 5e-5 * per_centimeter;
        assert_close("offset", &locator.offset, &lengths("offset"), tolerance);
        assert_close(
            "origin",
            &locator.limit_origin,
            &lengths("limit_origin"),
            tolerance,
        );
        assert_eq!(json!(locator.locked.map(u8::from)), wanted["locked"]);
        assert_eq!(wanted["weight"], locator.weight);
        assert_eq!(locator.limit_weight[..], of("limit_weight"));
        assert_eq!(wanted["attached_to_skin"], locator.attached_to_skin);
        assert_close(
            "skin",
            &[locator.skin_offset],
            &lengths("skin_offset"),
            1e-12,
        );
    }
}

#[test]
fn points_are_where_pymomentum_has_them() {
    let wanted = &expected()["locators"];
    for (bytes, key) in [
        (OWN, "locators"),
        (GLOBAL, "global.locators"),
        (LOCAL, "local.locators"),
    ] {
        let source = Source::from_bytes(bytes);
        let loaded = load_locators(&source, &bare()).unwrap();
        assert_are(&loaded.value.locators, &wanted[key], 1.0);
        let metres = load_locators(&source, &bare().in_unit(Unit::Meter)).unwrap();
        assert_are(&metres.value.locators, &wanted[key], 0.01);
        let n_warnings = if key == "locators" { 3 } else { 0 };
        assert_eq!(loaded.warnings.len(), n_warnings, "{:?}", loaded.warnings);
    }
    let warnings = load_locators(&Source::from_bytes(OWN), &bare())
        .unwrap()
        .warnings;
    assert!(warnings[0].contains("'on_nothing'") && warnings[0].contains("\"tail\""));
    assert!(warnings[1].contains("'half_given'") && warnings[2].contains("'half_given'"));
}

/// What PyMomentum writes and what we write of the same points.
#[test]
fn what_is_written_is_the_same_file() {
    let with = load_locators(&Source::from_bytes(LOCAL), &bare())
        .unwrap()
        .value;
    for (space, theirs) in [(LocatorSpace::Global, GLOBAL), (LocatorSpace::Local, LOCAL)] {
        for unit in [Unit::Centimeter, Unit::Meter] {
            let saved = save_locators(&with.in_unit(unit), space).unwrap();
            assert_eq!(saved.warnings, Vec::<String>::new());
            let own: Value = serde_json::from_slice(&saved.clone().into_bytes()).unwrap();
            let theirs: Value = serde_json::from_slice(theirs).unwrap();
            let (own, theirs) = (&own["locators"], &theirs["locators"]);
            for (own, theirs) in own
                .as_array()
                .unwrap()
                .iter()
                .zip(theirs.as_array().unwrap())
            {
                let (own, theirs) = (own.as_object().unwrap(), theirs.as_object().unwrap());
                assert_eq!(
                    own.keys().collect::<Vec<_>>(),
                    theirs.keys().collect::<Vec<_>>()
                );
                for (key, value) in own {
                    match value.as_f64() {
                        Some(x) => assert_close(key, &[x], &flat(&theirs[key]), 5e-5),
                        None => assert_eq!(*value, theirs[key]),
                    }
                }
            }
        }
    }
}

#[test]
fn the_shared_file_is_read() {
    let Some(data) = shared_data() else { return };
    let source = Source::open(&data.join("momentum/character.locators")).unwrap();
    let joint = |name, parent| Joint::new(name, parent, [0.0, 1.0, 0.0]);
    let skeleton = Skeleton::new(vec![
        joint("root", None),
        joint("joint1", Some(0)),
        joint("joint2", Some(1)),
    ]);
    let skeleton = skeleton.unwrap();
    let transform = ParameterTransform::identity(&skeleton);
    let mut parts = CharacterParts::new("", skeleton, transform);
    parts.unit = Unit::Centimeter;
    parts.locators = vec![Locator::new("before", 0, [0.0; 3])].into();
    let loaded = load_locators(&source, &Character::new(parts).unwrap()).unwrap();
    assert_eq!(loaded.warnings, Vec::<String>::new());
    let own = &loaded.value.locators;
    let names: Vec<(&str, usize)> = own.iter().map(|own| (&*own.name, own.parent)).collect();
    assert_eq!(names, [("before", 0), ("l0", 0), ("l1", 1), ("l2", 2)]);
    let file: Value = serde_json::from_slice(source.bytes()).unwrap();
    for (own, stored) in own[1..].iter().zip(file["locators"].as_array().unwrap()) {
        let offset = ["offsetX", "offsetY", "offsetZ"].map(|key| stored[key].as_f64().unwrap());
        assert_eq!(own.offset, offset);
    }
}

#[test]
fn faults_are_named_with_their_place() {
    let load = |text: &str| message(load_locators(&Source::from_bytes(text.as_bytes()), &bare()));
    for (text, wanted) in [
        ("", "line 1, column 0: expected JSON"),
        ("{}", "the document: expected a property 'locators'"),
        (r#"{"locators": 1}"#, "locators: expected an array"),
        (r#"{"locators": [1]}"#, "locators[0]: expected an object"),
        (
            r#"{"locators": [{}]}"#,
            "locators[0]: expected a property 'name'",
        ),
        (
            r#"{"locators": [{"name": "a", "parent": 5}]}"#,
            "locators[0].parent",
        ),
        (
            r#"{"locators": [{"name": "a", "parent": 0, "offsetX": "1"}]}"#,
            "locators[0].offsetX",
        ),
        (
            r#"{"locators": [{"name": "a", "parent": 0}, {"name": "a", "parent": 1}]}"#,
            "locators[1].name: expected a name that no other locator has",
        ),
    ] {
        let got = load(text);
        assert!(got.contains(wanted), "{text}: {got}");
    }
    for end in 0..OWN.len() {
        let _ = load_locators(&Source::from_bytes(&OWN[..end]), &bare());
    }
    let mut twice = figure().parts();
    twice.locators = vec![
        Locator::new("a", 0, [0.0; 3]),
        Locator::new("a", 1, [0.0; 3]),
    ]
    .into();
    let twice = Character::new(twice).unwrap();
    let got = message(save_locators(&twice, LocatorSpace::Local));
    assert!(
        got.contains("locator 'a': another locator has the same name"),
        "{got}"
    );
}
