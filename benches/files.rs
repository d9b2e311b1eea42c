//! glTF files in memory: motion of 10,000 frames, and a character of 50,000 vertices.

use std::sync::Arc;

use divan::Bencher;
use divan::counter::BytesCount;
use kinarray::character::Character;
use kinarray::io::gltf::{self, write::Values};
use kinarray::io::{Extras, LoadOptions, Motion, MotionChoice, SaveOptions, Source};
use kinarray::testing::create_character;

const N_JOINTS: usize = 127;
const N_PARAMETERS: usize = 230;
const N_FRAMES: usize = 10_000;

fn main() {
    divan::main();
}

fn skeleton() -> Character {
    create_character(N_JOINTS, N_PARAMETERS, 0, 0).unwrap()
}

fn motion() -> Motion {
    let numbers = (0..N_FRAMES * N_PARAMETERS).map(|at| f64::from((at as f32 * 0.37).sin()));
    let numbers = numbers.collect();
    let mut motion = Motion::new("walk", skeleton(), 120.0, numbers, vec![], vec![]).unwrap();
    motion.is_single = true;
    motion
}

fn saved(motion: &Motion) -> Vec<u8> {
    let saved = gltf::save_motion(motion, &SaveOptions::default(), &Extras::default());
    saved.unwrap().into_bytes()
}

#[divan::bench(sample_count = 10)]
fn save_motion(bencher: Bencher) {
    let motion = motion();
    bencher.bench(|| saved(&motion));
}

#[divan::bench(sample_count = 10)]
fn load_motion(bencher: Bencher) {
    let bytes = saved(&motion());
    let (options, choice) = (LoadOptions::default(), MotionChoice::default());
    bencher
        .counter(BytesCount::from(bytes.len()))
        .bench(|| gltf::load_motion(&Source::from_bytes(&bytes), &options, &choice).unwrap());
}

fn states(bytes: &[u8]) -> Vec<f64> {
    let scene = gltf::load_scene(&Source::from_bytes(bytes), &LoadOptions::default()).unwrap();
    let clip = &scene.clips[0];
    clip.skeleton_states(&clip.frame_times(clip.fps()).unwrap())
}

#[divan::bench(sample_count = 10)]
fn save_states(bencher: Bencher) {
    let (character, states) = (skeleton(), states(&saved(&motion())));
    let options = SaveOptions::default();
    let states = Values::Double(&states);
    bencher.bench(|| {
        let extras = Extras::default();
        gltf::save_skeleton_states(&character, 120.0, states, &options, &extras).unwrap()
    });
}

#[divan::bench(sample_count = 10)]
fn load_states(bencher: Bencher) {
    let bytes = saved(&motion());
    bencher.bench(|| states(&bytes));
}

fn character() -> Arc<Character> {
    Arc::new(create_character(N_JOINTS, N_PARAMETERS, 50_000, 8).unwrap())
}

#[divan::bench]
fn save_character(bencher: Bencher) {
    let character = character();
    let options = SaveOptions::default();
    bencher.bench(|| gltf::save_character(&character, &options, &Extras::default()).unwrap());
}

#[divan::bench]
fn load_character(bencher: Bencher) {
    let saved = gltf::save_character(&character(), &SaveOptions::default(), &Extras::default());
    let bytes = saved.unwrap().into_bytes();
    let options = LoadOptions::default();
    bencher
        .counter(BytesCount::from(bytes.len()))
        .bench(|| gltf::load_character(&Source::from_bytes(&bytes), &options).unwrap());
}
