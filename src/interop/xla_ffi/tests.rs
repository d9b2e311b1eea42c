//! The handler, called as XLA calls it.

use std::ffi::{CStr, c_int, c_void};
use std::ptr::null_mut;

use super::abi::{self, Api, ApiVersion, CallFrame};
use super::{handler, process};
use crate::array::{Batch, Shape};
use crate::backend::cpu::Compute;
use crate::backend::{Control, Gradient, Input, Operation, registry};
use crate::error::{Error, Result};

/// `a · b`, number by number; the jvp panics.
#[derive(Debug, Clone, PartialEq)]
struct Product;

impl Operation for Product {
    fn name(&self) -> &'static str {
        "product"
    }
    fn inputs(&self) -> &'static [Input] {
        const INPUTS: [Input; 2] = [
            Input {
                name: "a",
                differentiable: true,
            },
            Input {
                name: "b",
                differentiable: true,
            },
        ];
        &INPUTS
    }
    fn core_rank(&self, _: usize, _: &[usize]) -> Result<usize> {
        Ok(0)
    }
    fn output_core(&self, _: &[&[usize]]) -> Shape {
        Shape::new()
    }
    fn forward<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        out: &mut [T],
        _: &Control<'_>,
    ) -> Result<()> {
        for (item, out) in out.iter_mut().enumerate() {
            let [a, b] = [0, 1].map(|input| number(&inputs[input], item));
            *out = a * b;
        }
        Ok(())
    }
    fn vjp<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        _: Option<&Batch<'_, T>>,
        cotangent: &Batch<'_, T>,
        gradients: &mut [Gradient<'_, T>],
        _: &Control<'_>,
    ) -> Result<()> {
        for (input, gradient) in gradients.iter_mut().enumerate() {
            let pulled = |item| number(&inputs[1 - input], item) * number(cotangent, item);
            match gradient {
                Gradient::Skip => {}
                Gradient::PerItem(all) => {
                    for (item, out) in all.iter_mut().enumerate() {
                        *out = pulled(item);
                    }
                }
                Gradient::Shared(_) => return Err(Error::value("product", "not shared here")),
            }
        }
        Ok(())
    }
    fn jvp<T: Compute>(
        &self,
        _: &[Batch<'_, T>],
        _: &[Option<Batch<'_, T>>],
        _: &mut [T],
        _: &Control<'_>,
    ) -> Result<()> {
        panic!("a panic in a kernel");
    }
}

fn number<T: Compute>(batch: &Batch<'_, T>, item: usize) -> T {
    let mut numbers = vec![T::ZERO; batch.core_len()];
    batch.copy_item(item, &mut numbers);
    numbers[0]
}

/// An array of the caller's.
struct Array {
    dtype: c_int,
    data: *mut c_void,
    dims: Vec<i64>,
}

fn array<T>(dtype: c_int, numbers: &mut [T], dims: &[i64]) -> Array {
    Array {
        dtype,
        data: numbers.as_mut_ptr().cast(),
        dims: dims.to_vec(),
    }
}

unsafe extern "C" fn create(arguments: *mut abi::ErrorCreateArgs) -> *mut c_void {
    // SAFETY: the handler's own arguments.
    let (size, text) = unsafe {
        (
            (*arguments).struct_size,
            CStr::from_ptr((*arguments).message),
        )
    };
    assert_eq!(size, 28);
    Box::into_raw(Box::new(text.to_string_lossy().into_owned())).cast()
}

fn version() -> ApiVersion {
    ApiVersion {
        struct_size: size_of::<ApiVersion>(),
        extension_start: null_mut(),
        major: 0,
        minor: 3,
    }
}

/// Calls the handler.
fn call(
    arguments: &mut [Array],
    results: &mut [Array],
    attributes: &[(&str, i64)],
) -> std::result::Result<(), String> {
    let api = Api {
        struct_size: size_of::<Api>(),
        extension_start: null_mut(),
        api_version: version(),
        internal_api: null_mut(),
        error_create: create,
    };
    let raw = |arrays: &mut [Array]| -> Vec<abi::Buffer> {
        let each = arrays.iter_mut();
        each.map(|array| abi::Buffer {
            struct_size: size_of::<abi::Buffer>(),
            extension_start: null_mut(),
            dtype: array.dtype,
            data: array.data,
            rank: array.dims.len() as i64,
            dims: array.dims.as_mut_ptr(),
        })
        .collect()
    };
    let (mut arguments, mut results) = (raw(arguments), raw(results));
    let pointers = |buffers: &mut [abi::Buffer]| -> Vec<*mut c_void> {
        let each = buffers.iter_mut();
        each.map(|buffer| (&raw mut *buffer).cast()).collect()
    };
    let mut pointers = [pointers(&mut arguments), pointers(&mut results)];
    let mut kinds = vec![abi::BUFFER; 16];
    let kinds = kinds.as_mut_ptr();
    let [arguments, results] = pointers.each_mut().map(|each| abi::Buffers {
        struct_size: size_of::<abi::Buffers>(),
        extension_start: null_mut(),
        size: each.len() as i64,
        types: kinds,
        each: each.as_mut_ptr(),
    });
    let mut values: Vec<i64> = attributes.iter().map(|&(_, value)| value).collect();
    let mut scalars: Vec<abi::Scalar> = values
        .iter_mut()
        .map(|value| abi::Scalar {
            dtype: abi::S64,
            value: (&raw mut *value).cast(),
        })
        .collect();
    let mut spans: Vec<abi::ByteSpan> = attributes
        .iter()
        .map(|(name, _)| abi::ByteSpan {
            start: name.as_ptr().cast(),
            length: name.len(),
        })
        .collect();
    let mut scalars: Vec<*mut c_void> = scalars
        .iter_mut()
        .map(|scalar| (&raw mut *scalar).cast())
        .collect();
    let mut spans: Vec<*mut abi::ByteSpan> = spans.iter_mut().map(|span| &raw mut *span).collect();
    let mut scalar_kinds = vec![abi::SCALAR; 16];
    let mut frame = CallFrame {
        struct_size: size_of::<CallFrame>(),
        extension_start: null_mut(),
        api: &raw const api,
        context: null_mut(),
        stage: abi::EXECUTE,
        arguments,
        results,
        attributes: abi::Attributes {
            struct_size: size_of::<abi::Attributes>(),
            extension_start: null_mut(),
            size: attributes.len() as i64,
            types: scalar_kinds.as_mut_ptr(),
            names: spans.as_mut_ptr(),
            each: scalars.as_mut_ptr(),
        },
    };
    // SAFETY: a frame as XLA makes them.
    let error = unsafe { handler((&raw mut frame).cast()) };
    if error.is_null() {
        return Ok(());
    }
    // SAFETY: made in `create`.
    Err(*unsafe { Box::from_raw(error.cast::<String>()) })
}

fn asked(verb: i64, present: i64, wanted: i64) -> Vec<(&'static str, i64)> {
    let (number, operation) = registry::intern(Product);
    // Tests of one process may look for it at any time.
    registry::keep(number);
    drop(operation);
    vec![
        ("operation", number as i64),
        ("present", present),
        ("process", 0),
        ("verb", verb),
        ("wanted", wanted),
    ]
}

#[test]
fn tells_its_version_and_does_nothing_then() {
    let mut metadata = abi::Metadata {
        struct_size: size_of::<abi::Metadata>(),
        api_version: version(),
        traits: 9,
    };
    let mut extension = abi::MetadataExtension {
        base: abi::ExtensionBase {
            struct_size: size_of::<abi::MetadataExtension>(),
            kind: abi::METADATA,
            next: null_mut(),
        },
        metadata: &raw mut metadata,
    };
    // SAFETY: all bits zero are a frame without anything.
    let mut frame: CallFrame = unsafe { std::mem::zeroed() };
    frame.extension_start = (&raw mut extension).cast();
    // SAFETY: a frame as XLA makes them to ask.
    assert!(unsafe { handler((&raw mut frame).cast()) }.is_null());
    let version = &metadata.api_version;
    assert_eq!((version.major, version.minor, metadata.traits), (0, 1, 0));
}

#[test]
fn computes_in_both_precisions_and_broadcasts() {
    let (mut a, mut b, mut out) = ([1.0, 2.0, 3.0], [5.0], [0.0; 3]);
    let mut results = [array(abi::F64, &mut out, &[3])];
    let mut arguments = [array(abi::F64, &mut a, &[3]), array(abi::F64, &mut b, &[])];
    call(&mut arguments, &mut results, &asked(0, 0, 0)).unwrap();
    assert_eq!(out, [5.0, 10.0, 15.0]);

    let (mut a, mut out) = ([2.0_f32], [0.0_f32]);
    let mut arguments = [
        array(abi::F32, &mut a, &[1]),
        array(abi::F32, &mut a.clone(), &[1]),
    ];
    call(
        &mut arguments,
        &mut [array(abi::F32, &mut out, &[1])],
        &asked(0, 0, 0),
    )
    .unwrap();
    assert_eq!(out, [4.0]);
}

#[test]
fn gives_the_wanted_gradients() {
    let (mut a, mut b, mut c) = ([1.0, 2.0], [3.0, 4.0], [10.0, 100.0]);
    let mut gradient = [0.0; 2];
    let mut arguments = [&mut a, &mut b, &mut c].map(|x| array(abi::F64, x, &[2]));
    let mut results = [array(abi::F64, &mut gradient, &[2])];
    call(&mut arguments, &mut results, &asked(2, 0, 0b10)).unwrap();
    assert_eq!(gradient, [10.0, 200.0]);

    // d(b c)/dx along b: only the gradient by a moves.
    let mut along = [1.0, 1.0];
    let mut arguments = [&mut a, &mut b, &mut along, &mut c].map(|x| array(abi::F64, x, &[2]));
    let mut results = [array(abi::F64, &mut gradient, &[2])];
    call(&mut arguments, &mut results, &asked(4, 0b10, 0b01)).unwrap();
    assert_eq!(gradient, [10.0, 100.0]);
}

#[test]
fn empty_arrays_need_no_memory() {
    let none = || Array {
        dtype: abi::F32,
        data: null_mut(),
        dims: vec![0],
    };
    call(&mut [none(), none()], &mut [none()], &asked(0, 0, 0)).unwrap();
}

#[test]
fn errors_and_panics_come_back_as_messages() {
    let (mut a, mut out) = ([1.0], [0.0]);
    let one = |x: &mut [f64]| array(abi::F64, x, &[1]);
    let mut both = || [one(&mut a), one(&mut a.clone())];
    let mut refused = |arguments: &mut [Array], attributes: &[(&str, i64)]| {
        let mut results = [array(abi::F64, &mut out, &[1])];
        call(arguments, &mut results, attributes).unwrap_err()
    };

    let present = 1 << 32;
    let mut three = [one(&mut [1.0]), one(&mut [1.0]), one(&mut [1.0])];
    let message = refused(&mut three, &asked(1, present, 0));
    assert_eq!(
        message,
        "internal error, please report it: a panic in a kernel"
    );

    let message = refused(&mut both()[..1], &asked(0, 0, 0));
    assert_eq!(message, "product: expected 2 arrays, got 1");

    let message = refused(&mut both(), &asked(9, 0, 0));
    assert_eq!(message, "kinarray_call: there is no verb 9");

    let message = refused(&mut both(), &asked(0, 0, 0)[..3]);
    assert_eq!(message, "kinarray_call: the attribute verb is missing");

    let mut attributes = asked(0, 0, 0);
    attributes[0].1 = i64::MAX;
    assert!(
        refused(&mut both(), &attributes).contains("there is no operation 9223372036854775807")
    );

    let mut attributes = asked(0, 0, 0);
    attributes[2].1 = process();
    let mut results = [array(abi::F64, &mut [0.0], &[1])];
    call(&mut both(), &mut results, &attributes).unwrap();
    attributes[2].1 = process() ^ 2;
    assert!(refused(&mut both(), &attributes).contains("another process"));

    let mut arrays = both();
    arrays[1].dtype = abi::F32;
    assert!(refused(&mut arrays, &asked(0, 0, 0)).contains("float32 beside float64"));

    let mut arrays = both();
    arrays[0].dtype = 16;
    assert!(refused(&mut arrays, &asked(0, 0, 0)).contains("XLA's type 16"));

    let mut arrays = both();
    arrays[0].dims = vec![-1];
    assert!(refused(&mut arrays, &asked(0, 0, 0)).contains("negative size -1"));

    let mut arrays = both();
    arrays[0].data = null_mut();
    assert!(refused(&mut arrays, &asked(0, 0, 0)).contains("no memory"));

    let mut arrays = both();
    arrays.iter_mut().for_each(|array| array.dims = vec![1, 1]);
    assert!(refused(&mut arrays, &asked(0, 0, 0)).contains("product: the result"));

    let message = refused(&mut both(), &asked(4, 0b100, 0));
    assert!(message.contains("inputs that it does not have"));
}
