//! `.model`: against PyMomentum, and there and back.

use crate::common::{assert_close, flat, shared_data};
use crate::momentum_figure::{expected, figure};
use kinarray::character::{
    BlendShape, Character, CharacterParts, Joint, LimitKind, ParameterLimit, ParameterTransform,
    Reals, Skeleton, Unit,
};
use kinarray::io::model_definition::{load_model_definition, save_model_definition};
use kinarray::io::{Loaded, Source};
use serde_json::{Value, json};

const MODEL: &[u8] = include_bytes!("../data/momentum/figure.model");

fn load(text: &[u8], character: &Character) -> Loaded<Character> {
    load_model_definition(&Source::from_bytes(text), character).unwrap()
}

/// A limit as `make.py` lists its fields; `None` for no bound, as in PyMomentum.
fn listed(limit: &ParameterLimit) -> (&'static str, Vec<Option<f64>>) {
    let place = |at: &[usize]| at.iter().map(|&at| Some(at as f64)).collect::<Vec<_>>();
    let bounds = |range: &[f64; 2]| range.map(|x| (x.abs() < 1e38).then_some(x));
    let some = |numbers: &[f64]| numbers.iter().copied().map(Some).collect::<Vec<_>>();
    match &limit.kind {
        LimitKind::MinMax { parameter, range } => {
            ("MinMax", [place(&[*parameter]), some(range)].concat())
        }
        LimitKind::MinMaxJoint {
            joint,
            joint_parameter,
            range,
        } => (
            "MinMaxJoint",
            [place(&[*joint, *joint_parameter]), some(range)].concat(),
        ),
        LimitKind::MinMaxJointPassive {
            joint,
            joint_parameter,
            range,
        } => (
            "MinMaxJointPassive",
            [place(&[*joint, *joint_parameter]), some(range)].concat(),
        ),
        LimitKind::Linear {
            reference,
            target,
            scale,
            offset,
            range,
        } => (
            "Linear",
            [
                place(&[*reference, *target]),
                some(&[*scale, *offset]),
                bounds(range).to_vec(),
            ]
            .concat(),
        ),
        LimitKind::LinearJoint {
            reference,
            target,
            scale,
            offset,
            range,
        } => (
            "LinearJoint",
            [
                place(reference),
                place(target),
                some(&[*scale, *offset]),
                bounds(range).to_vec(),
            ]
            .concat(),
        ),
        LimitKind::HalfPlane {
            parameters,
            normal,
            offset,
        } => (
            "HalfPlane",
            [place(parameters), some(normal), some(&[*offset])].concat(),
        ),
        LimitKind::Ellipsoid {
            ellipsoid_parent,
            parent,
            offset,
            ellipsoid,
        } => (
            "Ellipsoid",
            [
                place(&[*ellipsoid_parent, *parent]),
                some(offset),
                some(ellipsoid),
            ]
            .concat(),
        ),
    }
}

/// Numbers and nulls of nested lists.
fn optional(value: &Value) -> Vec<Option<f64>> {
    match value {
        Value::Array(items) => items.iter().flat_map(optional).collect(),
        other => vec![other.as_f64()],
    }
}

fn assert_is_the_model(character: &Character) {
    let wanted = &expected()["model"];
    let transform = &character.parameter_transform;
    assert_eq!(json!(transform.names()), wanted["names"]);
    // PyMomentum holds single precision; 0.3 is the only factor that it rounds.
    assert_close(
        "transform",
        &transform.to_dense(),
        &flat(&wanted["transform"]),
        2e-8,
    );
    assert_eq!(json!(transform.parameter_sets()), wanted["sets"]);
    let limits = wanted["limits"].as_array().unwrap();
    assert_eq!(character.parameter_limits.len(), limits.len());
    for (own, wanted) in character.parameter_limits.iter().zip(limits) {
        let (kind, values) = listed(own);
        assert_eq!(wanted["kind"], kind);
        assert_eq!(wanted["weight"], own.weight);
        let theirs = optional(&wanted["values"]);
        let bare = |values: &[Option<f64>]| values.iter().map(Option::is_some).collect::<Vec<_>>();
        assert_eq!(bare(&values), bare(&theirs), "{kind}");
        let of = |values: &[Option<f64>]| values.iter().copied().flatten().collect::<Vec<f64>>();
        assert_close(kind, &of(&values), &of(&theirs), 2e-6);
    }
}

#[test]
fn a_definition_is_what_pymomentum_reads() {
    let loaded = load(MODEL, &figure());
    assert_eq!(loaded.warnings, Vec::<String>::new());
    assert_is_the_model(&loaded.value);
    // All else is that of the character.
    let (before, after) = (figure(), &loaded.value);
    assert_eq!(before.skeleton, after.skeleton);
    assert_eq!(before.mesh, after.mesh);
    assert_eq!(before.locators, after.locators);
}

#[test]
fn what_is_written_is_read_again() {
    let saved = save_model_definition(&load(MODEL, &figure()).value).unwrap();
    assert_eq!(saved.warnings, Vec::<String>::new());
    let again = load(&saved.clone().into_bytes(), &figure());
    assert_eq!(again.warnings, Vec::<String>::new());
    assert_is_the_model(&again.value);
    // Numbers keep all their digits, but for the ellipsoid, which is a matrix in between.
    let twice = save_model_definition(&again.value).unwrap();
    let lines = |bytes: Vec<u8>| -> Vec<String> {
        let text = String::from_utf8(bytes).unwrap();
        let lines = text.lines().filter(|line| !line.contains("ellipsoid"));
        lines.map(str::to_owned).collect()
    };
    assert_eq!(lines(saved.into_bytes()), lines(twice.into_bytes()));
}

/// The file is in centimetres, whatever the character is in.
#[test]
fn lengths_are_in_the_unit_of_the_character() {
    let metres = load(MODEL, &figure().in_unit(Unit::Meter)).value;
    assert_eq!(metres.unit, Unit::Meter);
    let limits = &metres.parameter_limits;
    let is_close =
        |range: [f64; 2], wanted: [f64; 2]| assert_close("range", &range, &wanted, 1e-12);
    match limits[1].kind {
        LimitKind::MinMax { range, .. } => is_close(range, [-0.2, 0.3]),
        ref other => panic!("{other:?}"),
    }
    match limits[3].kind {
        LimitKind::MinMaxJoint { range, .. } => is_close(range, [-0.01, 0.015]),
        ref other => panic!("{other:?}"),
    }
    match &limits[11].kind {
        LimitKind::Ellipsoid { offset, .. } => {
            assert_close("offset", offset, &[0.01, 0.02, 0.03], 1e-12);
        }
        other => panic!("{other:?}"),
    }
    // A factor between lengths, or between angles, has no unit.
    let transform = &metres.parameter_transform;
    let centimetres = load(MODEL, &figure()).value.parameter_transform.to_dense();
    assert_close("transform", &transform.to_dense(), &centimetres, 1e-12);
    let saved = save_model_definition(&metres).unwrap();
    assert_is_the_model(&load(&saved.clone().into_bytes(), &figure()).value);
}

#[test]
fn the_shared_file_is_read() {
    let Some(data) = shared_data() else { return };
    let source = Source::open(&data.join("momentum/character.model")).unwrap();
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
    let loaded = load_model_definition(&source, &Character::new(parts).unwrap()).unwrap();
    assert_eq!(loaded.warnings, Vec::<String>::new());
    let transform = &loaded.value.parameter_transform;
    let names = [
        "root_tx",
        "root_ty",
        "root_tz",
        "root_rx",
        "root_ry",
        "root_rz",
        "scale_global",
        "joint1_rx",
        "shared_rz",
        "joint2_rx",
    ];
    assert_eq!(transform.names(), names);
    // The rows are tx ty tz rx ry rz sc of each joint.
    let rows = [0, 1, 2, 3, 4, 5, 6, 10, 12, 17, 19];
    let factors = [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.5, 1.0, 0.5];
    let columns = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 8];
    let mut dense = vec![0.0; 21 * 10];
    for ((row, column), factor) in rows.iter().zip(columns).zip(factors) {
        dense[row * 10 + column] = factor;
    }
    assert_eq!(transform.to_dense(), dense);
}

/// What the text cannot say in its own order, and limits that only look like the pieces of one line.
#[test]
fn a_character_of_any_order_is_kept() {
    let skeleton = figure().skeleton.as_ref().clone();
    let names = ["c", "b", "a", "unused"].map(String::from).to_vec();
    let entries = [
        (3, 2, 1.0),
        (4, 1, 0.1),
        (5, 0, -2.5e-7),
        (10, 1, 1.0 / 3.0),
    ];
    let transform = ParameterTransform::new(names, skeleton.len(), entries).unwrap();
    let transform = transform
        .with_parameter_set("set", vec![true, false, true, false])
        .unwrap();
    let mut parts = CharacterParts::new("", skeleton, transform);
    parts.unit = Unit::Centimeter;
    let linear = |scale, offset, range| {
        let kind = LimitKind::Linear {
            reference: 0,
            target: 1,
            scale,
            offset,
            range,
        };
        ParameterLimit::new(kind, 0.1).unwrap()
    };
    let far = f64::from(f32::MAX);
    parts.parameter_limits = vec![
        linear(1.0, 0.0, [-far, 0.5]),
        linear(2.0, 0.5, [0.5, 1.0]),
        // A gap at 1: another line.
        linear(5.0, 0.5, [-far, far]),
        linear(0.0, -1.5, [-far, 2.0]),
    ]
    .into();
    let character = Character::new(parts).unwrap();
    let saved = save_model_definition(&character).unwrap();
    assert_eq!(saved.warnings, Vec::<String>::new());
    let again = load(&saved.clone().into_bytes(), &figure()).value;
    assert_eq!(again.parameter_transform, character.parameter_transform);
    assert_eq!(again.parameter_limits, character.parameter_limits);
}

/// As in PyMomentum a definition without the coefficients of shapes takes them away, but what names them has
/// them again.
#[test]
fn coefficients_of_shapes_are_parameters_where_they_are_named() {
    let figure = figure();
    let rest = figure.mesh.as_ref().unwrap().vertices.clone();
    let displacements = Reals::from(vec![0.5_f32; 2 * rest.len()]);
    let names = ["wide", "tall"].map(String::from).to_vec();
    let shape = BlendShape::new(names, rest, displacements).unwrap();
    let shaped = figure.with_blend_shape(Some(shape.into()), None).unwrap();
    let loaded = load(MODEL, &shaped);
    let none =
        "2 coefficients of blend shapes are no parameters any more, the file does not name them";
    assert_eq!(loaded.warnings, [none]);
    assert_is_the_model(&loaded.value);
    assert!(loaded.value.blend_shape.is_some());

    let saved = save_model_definition(&shaped).unwrap();
    let again = load(&saved.clone().into_bytes(), &shaped);
    assert_eq!(again.warnings, Vec::<String>::new());
    let transform = &again.value.parameter_transform;
    assert_eq!(*transform, shaped.parameter_transform);
    let columns = transform.blend_shape_columns();
    let names: Vec<&str> = columns
        .iter()
        .map(|at| &*transform.names()[at.unwrap()])
        .collect();
    assert_eq!(names, ["blend_0", "blend_1"]);
}
