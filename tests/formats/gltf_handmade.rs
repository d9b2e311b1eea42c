//! Small documents for what the shared files do not have: scales that joints cannot hold, skins that
//! disagree, every way to connect vertices, every kind of number.

use crate::common::{glb, load, load_file, morphed, posed, shared_data, skinned, state_matrix};
use kinarray::character::{Character, Unit};
use kinarray::io::LoadOptions;
use kinarray::io::gltf::LoadedScene;
use nalgebra::{Matrix3, Matrix4, Quaternion, UnitQuaternion, Vector3, Vector4};
use serde_json::{Value, json};

/// A document under construction and its binary chunk.
struct Builder {
    json: Value,
    binary: Vec<u8>,
}

impl Builder {
    fn new() -> Self {
        let json = json!({ "asset": { "version": "2.0" }, "bufferViews": [], "accessors": [] });
        let binary = Vec::new();
        Self { json, binary }
    }

    fn push(&mut self, list: &str, value: Value) -> usize {
        let list = self.json[list].as_array_mut().unwrap();
        list.push(value);
        list.len() - 1
    }

    fn view(&mut self, bytes: &[u8]) -> usize {
        let start = self.binary.len().next_multiple_of(4);
        self.binary.resize(start, 0);
        self.binary.extend(bytes);
        let view = json!({ "buffer": 0, "byteOffset": start, "byteLength": bytes.len() });
        self.push("bufferViews", view)
    }

    fn accessor(&mut self, kind: &str, component: u32, count: usize, bytes: &[u8]) -> usize {
        let view = self.view(bytes);
        let accessor = json!({
            "bufferView": view, "componentType": component, "count": count, "type": kind,
        });
        self.push("accessors", accessor)
    }

    fn floats(&mut self, kind: &str, width: usize, values: &[f64]) -> usize {
        let bytes: Vec<u8> = values
            .iter()
            .flat_map(|&x| (x as f32).to_le_bytes())
            .collect();
        self.accessor(kind, 5126, values.len() / width, &bytes)
    }

    fn bytes(mut self) -> Vec<u8> {
        self.json["buffers"] = json!([{ "byteLength": self.binary.len().max(4) }]);
        self.binary.resize(self.binary.len().max(4), 0);
        glb(&self.json, &self.binary)
    }

    fn load(self) -> LoadedScene {
        load(&self.bytes(), &LoadOptions::default()).unwrap()
    }
}

const CORNERS: [f64; 12] = [0.1, 0.2, 0.3, 1.0, 0.5, 0.0, 0.0, 1.0, 0.7, -0.5, 0.4, 1.0];

/// A node's matrix by the book, with another translation, rotation or scale where given.
fn node_matrix(node: &Value, change: Option<(&str, Vec<f64>)>) -> Matrix4<f64> {
    if let Some(matrix) = node["matrix"].as_array() {
        return Matrix4::from_iterator(matrix.iter().map(|x| x.as_f64().unwrap()));
    }
    let property = |name: &str, default: &[f64]| -> Vec<f64> {
        if let Some((changed, value)) = &change
            && *changed == name
        {
            return value.clone();
        }
        let stored = node[name].as_array();
        stored.map_or(default.to_vec(), |list| {
            list.iter().map(|x| x.as_f64().unwrap()).collect()
        })
    };
    let (t, r, s) = (
        property("translation", &[0.0; 3]),
        property("rotation", &[0.0, 0.0, 0.0, 1.0]),
        property("scale", &[1.0; 3]),
    );
    let rotation = UnitQuaternion::new_normalize(Quaternion::new(r[3], r[0], r[1], r[2]));
    Matrix4::new_translation(&Vector3::new(t[0], t[1], t[2]))
        * rotation.to_homogeneous()
        * Matrix4::new_nonuniform_scaling(&Vector3::new(s[0], s[1], s[2]))
}

/// A chain of nodes, the last one with a mesh, the given one animated; checked at rest and between keys.
fn check_chain(
    chain: Value,
    animated: usize,
    path: &'static str,
    keys: [Vec<f64>; 2],
) -> LoadedScene {
    let mut builder = Builder::new();
    let position = builder.floats("VEC3", 3, &CORNERS);
    let times = builder.floats("SCALAR", 1, &[0.0, 1.0]);
    let (kind, width) = if path == "rotation" {
        ("VEC4", 4)
    } else {
        ("VEC3", 3)
    };
    let output = builder.floats(kind, width, &keys.concat());
    let mut nodes = chain.as_array().unwrap().clone();
    let count = nodes.len();
    for (index, node) in nodes.iter_mut().enumerate() {
        if index + 1 < count {
            node["children"] = json!([index + 1]);
        } else {
            node["mesh"] = json!(0);
        }
    }
    builder.json["nodes"] = nodes.clone().into();
    builder.json["meshes"] =
        json!([{ "primitives": [{ "attributes": { "POSITION": position }, "mode": 5 }] }]);
    builder.json["animations"] = json!([{
        "samplers": [{ "input": times, "output": output }],
        "channels": [{ "sampler": 0, "target": { "node": animated, "path": path } }],
    }]);
    let scene = builder.load();
    let clip = &scene.clips[0];
    for time in [None, Some(0.0), Some(0.37), Some(1.0)] {
        let value = time.map(|u: f64| {
            let of =
                |key: &Vec<f64>| -> Vec<f64> { key.iter().map(|&x| f64::from(x as f32)).collect() };
            let (from, to) = (of(&keys[0]), of(&keys[1]));
            if path == "rotation" {
                let q = |k: &[f64]| {
                    UnitQuaternion::new_normalize(Quaternion::new(k[3], k[0], k[1], k[2]))
                };
                let mixed = q(&from).slerp(&q(&to), u);
                return (path, mixed.coords.iter().copied().collect());
            }
            let mixed = from.iter().zip(&to).map(|(a, b)| a + u * (b - a)).collect();
            (path, mixed)
        });
        let worlds = match time {
            None => posed(&scene.character, &vec![0.0; 7 * count]),
            Some(time) => {
                let through_parameters = posed(&scene.character, &clip.joint_parameters(&[time]));
                let states = clip.skeleton_states(&[time]);
                for (state, world) in states.chunks(8).zip(&through_parameters) {
                    assert!((state_matrix(state) - world).amax() < 1e-9);
                }
                through_parameters
            }
        };
        let mut node_world = Matrix4::identity();
        for (index, node) in nodes.iter().enumerate() {
            let change = value.clone().filter(|_| index == animated);
            node_world *= node_matrix(node, change);
            let linear = Matrix3::from_row_slice(&scene.node_linear[index]);
            let got = worlds[index] * linear.to_homogeneous();
            let error = (got - node_world).amax() / node_world.amax();
            assert!(
                error < 1e-9,
                "{time:?} node {index}: {got} instead of {node_world}"
            );
        }
        let points = skinned(&scene.character, &worlds, &morphed(&scene.character, &[]));
        for (point, corner) in points.iter().zip(CORNERS.chunks(3)) {
            let wanted = node_world * Vector4::new(corner[0], corner[1], corner[2], 1.0);
            for axis in 0..3 {
                let error = (point[axis] - wanted[axis]).abs();
                assert!(
                    error < 1e-6 * node_world.amax(),
                    "{time:?}: {point:?} {wanted}"
                );
            }
        }
    }
    scene
}

fn turns() -> [Vec<f64>; 2] {
    [vec![0.1, 0.2, 0.3, 0.9], vec![0.6, -0.3, 0.1, 0.7]]
}

#[test]
fn a_uniform_scale_anywhere_is_exact_and_the_zero_pose_has_scale_one() {
    let chain = || {
        json!([
            { "scale": [0.01, 0.01, 0.01], "rotation": [0.5, 0.5, 0.5, 0.5] },
            { "translation": [10, 20, 30], "rotation": [0.1, 0.7, 0.1, 0.7] },
            { "translation": [5, 0, 1], "scale": [3, 3, 3] },
        ])
    };
    for animated in 0..3 {
        let scene = check_chain(chain(), animated, "rotation", turns());
        assert!(scene.warnings.is_empty(), "{:?}", scene.warnings);
        let scene = check_chain(chain(), animated, "scale", [vec![0.5; 3], vec![2.0; 3]]);
        assert!(scene.warnings.is_empty(), "{:?}", scene.warnings);
        check_chain(
            chain(),
            animated,
            "translation",
            [vec![1.0, 2.0, 3.0], vec![-4.0, 5.0, 6.0]],
        );
    }
    let scene = check_chain(chain(), 1, "rotation", turns());
    let offsets = scene.character.skeleton.joints()[1].translation_offset;
    for (got, wanted) in offsets.iter().zip([0.1, 0.2, 0.3]) {
        assert!((got - wanted).abs() < 1e-12, "{offsets:?}");
    }
}

#[test]
fn a_mirrored_node_and_what_turns_below_it_are_exact() {
    for scale in [json!([-1, 1, 1]), json!([-2, -2, -2]), json!([1, -3, 3])] {
        let mirrored = json!([
            { "scale": scale, "rotation": [0.1, 0.7, 0.1, 0.7], "translation": [1, 2, 3] },
            { "translation": [1, 2, 3], "rotation": [0.5, 0.1, 0.5, 0.5] },
            { "translation": [0, 1, 1], "rotation": [0.1, 0.1, 0.5, 0.5] },
        ]);
        // (1, -3, 3) also stretches, so only what does not turn below it can be exact.
        if scale[0] == 1 {
            check_chain(mirrored.clone(), 0, "rotation", turns());
            check_chain(mirrored, 2, "translation", [vec![1.0; 3], vec![2.0; 3]]);
            continue;
        }
        for animated in 0..3 {
            let scene = check_chain(mirrored.clone(), animated, "rotation", turns());
            assert!(scene.warnings.is_empty(), "{:?}", scene.warnings);
        }
    }
}

#[test]
fn a_non_uniform_scale_that_nothing_turns_below_is_exact() {
    let chain = json!([
        { "translation": [1, 2, 3], "rotation": [0.1, 0.7, 0.1, 0.7] },
        { "scale": [1, 2, 3], "rotation": [0.5, 0.1, 0.5, 0.5] },
        { "translation": [1, 1, 1], "rotation": [0.1, 0.1, 0.5, 0.5] },
    ]);
    check_chain(chain.clone(), 0, "rotation", turns());
    check_chain(chain.clone(), 1, "rotation", turns());
    let scene = check_chain(chain, 2, "translation", [vec![1.0; 3], vec![2.0; 3]]);
    assert!(scene.warnings.is_empty(), "{:?}", scene.warnings);
    // Sheared by its matrix.
    let chain = json!([
        { "matrix": [1, 0.5, 0, 0, 0.3, 2, 0, 0, 0, 0.1, -1, 0, 4, 5, 6, 1] },
        { "translation": [1, 1, 1] },
    ]);
    check_chain(chain, 1, "translation", [vec![1.0; 3], vec![2.0; 3]]);
}

#[test]
fn what_turns_below_a_non_uniform_scale_is_announced() {
    let mut builder = Builder::new();
    let times = builder.floats("SCALAR", 1, &[0.0, 1.0]);
    let turn = builder.floats("VEC4", 4, &turns().concat());
    let stretch = builder.floats("VEC3", 3, &[1.0, 1.0, 1.0, 1.0, 2.0, 1.0]);
    builder.json["nodes"] = json!([{ "scale": [1, 2, 1], "children": [1] }, { "name": "arm" }, {}]);
    builder.json["animations"] = json!([{
        "samplers": [{ "input": times, "output": turn }, { "input": times, "output": stretch }],
        "channels": [
            { "sampler": 0, "target": { "node": 1, "path": "rotation" } },
            { "sampler": 1, "target": { "node": 2, "path": "scale" } },
        ],
    }]);
    let scene = builder.load();
    assert_eq!(scene.warnings.len(), 2, "{:?}", scene.warnings);
    assert!(scene.warnings[0].contains("'arm' turns below a non-uniform scale"));
    assert!(scene.warnings[1].contains("'node_2' is scaled differently along its axes"));
}

/// A mesh of four vertices on two skins of the same two joints.
fn two_skins(second_bind: [Matrix4<f64>; 2]) -> (LoadedScene, [Matrix4<f64>; 2], Value) {
    let mut builder = Builder::new();
    let position = builder.floats("VEC3", 3, &CORNERS);
    let joints = builder.accessor("VEC4", 5121, 4, &[0, 1, 0, 0].repeat(4));
    let weights = [[1.0, 0.0, 0.0, 0.0], [0.25, 0.75, 0.0, 0.0]]
        .concat()
        .repeat(2);
    let weights = builder.floats("VEC4", 4, &weights);
    let first_bind = [
        Matrix4::new_translation(&Vector3::new(0.5, 0.0, 0.0)),
        Matrix4::new_scaling(2.0),
    ];
    let mut matrices = |bind: &[Matrix4<f64>; 2]| {
        let numbers: Vec<f64> = bind.iter().flat_map(|m| m.iter().copied()).collect();
        builder.floats("MAT4", 16, &numbers)
    };
    let (first, second) = (matrices(&first_bind), matrices(&second_bind));
    let nodes = json!([
        { "name": "root", "rotation": [0.5, 0.1, 0.5, 0.5], "children": [1] },
        { "name": "tip", "translation": [1, 0, 0], "scale": [2, 2, 2] },
        { "name": "skin a", "mesh": 0, "skin": 0 },
        { "name": "skin b", "mesh": 0, "skin": 1 },
    ]);
    builder.json["nodes"] = nodes.clone();
    builder.json["meshes"] = json!([{ "primitives": [{
        "attributes": { "POSITION": position, "JOINTS_0": joints, "WEIGHTS_0": weights },
    }] }]);
    builder.json["skins"] = json!([
        { "joints": [0, 1], "inverseBindMatrices": first },
        { "joints": [0, 1], "inverseBindMatrices": second },
    ]);
    (builder.load(), first_bind, nodes)
}

fn check_two_skins(second_bind: [Matrix4<f64>; 2]) -> Character {
    let (scene, first_bind, nodes) = two_skins(second_bind);
    let character = scene.character;
    let n_joints = character.skeleton.len();
    let worlds = posed(&character, &vec![0.0; 7 * n_joints]);
    let points = skinned(&character, &worlds, &morphed(&character, &[]));
    let root = node_matrix(&nodes[0], None);
    let world = [root, root * node_matrix(&nodes[1], None)];
    let f32_of = |m: &Matrix4<f64>| m.map(|x| f64::from(x as f32));
    for (skin, bind) in [first_bind, second_bind].iter().enumerate() {
        for vertex in 0..4 {
            let corner = &CORNERS[vertex * 3..vertex * 3 + 3];
            let corner = Vector4::new(corner[0], corner[1], corner[2], 1.0);
            let tip = if vertex % 2 == 0 { 0.0 } else { 0.75 };
            let wanted = world[0] * f32_of(&bind[0]) * corner * (1.0 - tip)
                + world[1] * f32_of(&bind[1]) * corner * tip;
            let got = points[skin * 4 + vertex];
            for axis in 0..3 {
                let error = (got[axis] - wanted[axis]).abs();
                assert!(
                    error < 1e-5,
                    "skin {skin} vertex {vertex}: {got:?} {wanted}"
                );
            }
        }
    }
    character
}

#[test]
fn skins_that_bind_a_joint_differently_stay_exact() {
    let first = [
        Matrix4::new_translation(&Vector3::new(0.5, 0.0, 0.0)),
        Matrix4::new_scaling(2.0),
    ];
    // The same mesh moved as a whole: baked into its vertices.
    let moved = Matrix4::new_translation(&Vector3::new(0.0, 3.0, 0.0)) * Matrix4::new_scaling(0.5);
    let character = check_two_skins(first.map(|bind| bind * moved));
    assert_eq!(character.skeleton.len(), 2);
    // Each joint bound in its own way: joints of their own for one of the skins.
    let character = check_two_skins([
        Matrix4::new_translation(&Vector3::new(0.0, 0.0, 7.0)),
        Matrix4::new_translation(&Vector3::new(1.0, 2.0, 3.0)),
    ]);
    let names: Vec<_> = character
        .skeleton
        .joints()
        .iter()
        .map(|j| &j.name)
        .collect();
    assert!(character.skeleton.len() > 2, "{names:?}");
    assert!(
        names
            .iter()
            .all(|name| name.starts_with("root") || name.starts_with("tip"))
    );
    // A binding that flattens cannot be undone.
    check_two_skins([
        Matrix4::zeros() + Matrix4::new_scaling(0.0),
        Matrix4::identity(),
    ]);
}

#[test]
fn every_mode_connects_its_vertices() {
    let connect = |mode: u32, indices: Option<&[u8]>| {
        let mut builder = Builder::new();
        let position = builder.floats("VEC3", 3, &[CORNERS, CORNERS].concat()[..18]);
        let mut primitive = json!({ "attributes": { "POSITION": position }, "mode": mode });
        if let Some(indices) = indices {
            primitive["indices"] = json!(builder.accessor("SCALAR", 5121, indices.len(), indices));
        }
        builder.json["nodes"] = json!([{ "mesh": 0 }]);
        builder.json["meshes"] = json!([{ "primitives": [primitive] }]);
        let scene = builder.load();
        let mesh = scene.character.mesh.as_ref().unwrap();
        (mesh.faces.clone(), mesh.lines.clone(), scene.warnings.len())
    };
    let none: Vec<Vec<u32>> = Vec::new();
    assert_eq!(connect(0, None), (vec![], none.clone(), 1));
    assert_eq!(
        connect(1, None),
        (vec![], vec![vec![0, 1], vec![2, 3], vec![4, 5]], 0)
    );
    assert_eq!(
        connect(2, Some(&[1, 3, 5])),
        (vec![], vec![vec![1, 3, 5, 1]], 0)
    );
    assert_eq!(
        connect(3, Some(&[1, 3, 5])),
        (vec![], vec![vec![1, 3, 5]], 0)
    );
    assert_eq!(
        connect(4, None),
        (vec![[0, 1, 2], [3, 4, 5]], none.clone(), 0)
    );
    assert_eq!(
        connect(4, Some(&[0, 1, 2, 3])),
        (vec![[0, 1, 2]], none.clone(), 1)
    );
    assert_eq!(
        connect(5, Some(&[0, 1, 2, 3, 4])),
        (vec![[0, 1, 2], [1, 3, 2], [2, 3, 4]], none.clone(), 0)
    );
    assert_eq!(
        connect(6, Some(&[5, 1, 2, 3])),
        (vec![[1, 2, 5], [2, 3, 5]], none, 0)
    );
}

#[test]
fn numbers_of_every_kind_are_read() {
    let mut builder = Builder::new();
    // Positions: zeros but for one, through sparse values alone.
    let indices = builder.view(&1_u16.to_le_bytes());
    let value: Vec<u8> = [1.0_f32, 2.0, 3.0]
        .iter()
        .flat_map(|x| x.to_le_bytes())
        .collect();
    let values = builder.view(&value);
    let position = builder.push(
        "accessors",
        json!({
            "componentType": 5126, "count": 3, "type": "VEC3",
            "sparse": {
                "count": 1,
                "indices": { "bufferView": indices, "componentType": 5123 },
                "values": { "bufferView": values },
            },
        }),
    );
    let joints: Vec<u8> = [0_u16, 1, 0, 0]
        .iter()
        .flat_map(|x| x.to_le_bytes())
        .collect();
    let joints = builder.accessor("VEC4", 5123, 3, &joints.repeat(3));
    let first = builder.accessor("VEC4", 5121, 3, &[51, 51, 0, 0].repeat(3));
    builder.json["accessors"][first]["normalized"] = json!(true);
    let more: Vec<u8> = [13107_u16, 0, 0, 26214]
        .iter()
        .flat_map(|x| x.to_le_bytes())
        .collect();
    let second = builder.accessor("VEC4", 5123, 3, &more.repeat(3));
    builder.json["accessors"][second]["normalized"] = json!(true);
    let color = builder.accessor("VEC4", 5121, 3, &[255, 128, 0, 9].repeat(3));
    builder.json["accessors"][color]["normalized"] = json!(true);
    // Interleaved: two bytes of coordinates in every four.
    let texcoord = builder.accessor("VEC2", 5121, 3, &[255, 0, 7, 7, 0, 51, 7, 7, 51, 255]);
    builder.json["accessors"][texcoord]["normalized"] = json!(true);
    let view = builder.json["accessors"][texcoord]["bufferView"]
        .as_u64()
        .unwrap() as usize;
    builder.json["bufferViews"][view]["byteStride"] = json!(4);
    builder.json["nodes"] = json!([{ "name": "a" }, { "name": "a" }, { "mesh": 0, "skin": 0 }]);
    builder.json["skins"] = json!([{ "joints": [0, 1] }]);
    builder.json["meshes"] = json!([{ "primitives": [{ "attributes": {
        "POSITION": position, "JOINTS_0": joints, "WEIGHTS_0": first, "JOINTS_1": joints,
        "WEIGHTS_1": second, "COLOR_0": color, "TEXCOORD_0": texcoord,
    } }] }]);
    let bytes = builder.bytes();
    let scene = load(&bytes, &LoadOptions::default()).unwrap();
    let character = &scene.character;
    let names: Vec<_> = character
        .skeleton
        .joints()
        .iter()
        .map(|j| j.name.as_str())
        .collect();
    assert_eq!(names, ["a", "a_1"]);
    assert_eq!(scene.warnings.len(), 1, "{:?}", scene.warnings);
    let mesh = character.mesh.as_ref().unwrap();
    assert_eq!(
        mesh.vertices.as_f32(),
        [0.0, 0.0, 0.0, 1.0, 2.0, 3.0, 0.0, 0.0, 0.0]
    );
    assert_eq!(mesh.colors, [[255, 128, 0]; 3]);
    assert_eq!(mesh.texcoords.as_f32(), [1.0, 0.0, 0.0, 0.2, 0.2, 1.0]);
    let weights = character.skin_weights.as_ref().unwrap();
    assert_eq!(weights.n_influences(), 4);
    assert_eq!(&weights.index()[..4], [0, 1, 0, 0]);
    let row = &weights.weight().as_f32()[..4];
    for (got, wanted) in row.iter().zip([0.2, 0.2, 0.2, 0.4]) {
        assert!((got - wanted).abs() < 1e-6, "{row:?}");
    }
}

#[test]
fn default_morph_weights_are_in_the_mesh_and_not_in_the_base() {
    let mut builder = Builder::new();
    let position = builder.floats("VEC3", 3, &CORNERS);
    let deltas: Vec<f64> = (0..12).map(f64::from).collect();
    let deltas = builder.floats("VEC3", 3, &deltas);
    builder.json["meshes"] = json!([{
        "primitives": [{
            "attributes": { "POSITION": position },
            "targets": [{ "POSITION": deltas }, {}],
        }],
        "weights": [0.5, 1],
        "extras": { "targetNames": ["smile", "frown"] },
    }]);
    builder.json["nodes"] = json!([
        { "mesh": 0, "name": "left" },
        { "mesh": 0, "name": "right", "weights": [2, 0], "scale": [2, 2, 2] },
    ]);
    let scene = builder.load();
    let shape = scene.character.blend_shape.as_ref().unwrap();
    assert_eq!(
        shape.names(),
        ["smile", "frown", "right_smile", "right_frown"]
    );
    assert_eq!(scene.morph_weights, [0.5, 1.0, 2.0, 0.0]);
    let mesh = scene.character.mesh.as_ref().unwrap();
    let with_weights = morphed(&scene.character, &scene.morph_weights);
    for (got, wanted) in mesh.vertices.iter().zip(with_weights) {
        assert!((got - wanted).abs() < 1e-5);
    }
    // The second vertex of each, in the rest pose's world.
    let at =
        |vertex: usize| -> Vec<f64> { mesh.vertices.iter().skip(vertex * 3).take(3).collect() };
    assert_eq!(at(1), [1.0 + 1.5, 0.5 + 2.0, 2.5]);
    assert_eq!(at(5), [2.0 + 12.0, 1.0 + 16.0, 20.0]);
}

#[test]
fn centimetres_are_a_hundred_times_metres() {
    let Some(data) = shared_data() else { return };
    let file = data.join("gltf/khronos/CesiumMan.glb");
    let meters = load_file(&file, &LoadOptions::default()).unwrap();
    let options = LoadOptions {
        unit: Unit::Centimeter,
        ..LoadOptions::default()
    };
    let centimeters = load_file(&file, &options).unwrap();
    assert_eq!(centimeters.character.unit, Unit::Centimeter);
    let positions = |scene: &LoadedScene| {
        let states = scene.clips[0].skeleton_states(&[0.3]);
        let worlds: Vec<_> = states.chunks(8).map(state_matrix).collect();
        let parameters = scene.clips[0].joint_parameters(&[0.3]);
        let again = posed(&scene.character, &parameters);
        for (state, world) in worlds.iter().zip(again) {
            let error = (state - world).amax();
            assert!(error < 1e-9, "{error}");
        }
        let rest = morphed(&scene.character, &[]);
        skinned(&scene.character, &worlds, &rest)
    };
    for (m, cm) in positions(&meters).iter().zip(positions(&centimeters)) {
        for axis in 0..3 {
            assert!((m[axis] * 100.0 - cm[axis]).abs() < 1e-4);
        }
    }
}

#[test]
fn model_parameters_reproduce_the_animation_frame_by_frame() {
    let Some(data) = shared_data() else { return };
    let file = data.join("gltf/khronos/Fox.glb");
    let scene = load_file(&file, &LoadOptions::default()).unwrap();
    let names: Vec<&str> = scene.clips.iter().map(|clip| clip.name()).collect();
    assert_eq!(names, ["Survey", "Walk", "Run"]);
    let transform = &scene.character.parameter_transform;
    assert_eq!(transform.len(), 7 * scene.character.skeleton.len());
    let clip = &scene.clips[1];
    assert_eq!(clip.fps(), 24.0);
    let times = clip.frame_times(clip.fps()).unwrap();
    assert_eq!(times, clip.key_times());
}
