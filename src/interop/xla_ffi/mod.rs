//! Operations called by programs that XLA has compiled: one handler of its foreign function interface,
//! which finds the operation by number and does with it what the attributes say.
//!
//! | attribute | is |
//! | --- | --- |
//! | `operation` | the operation's number in the [`registry`] |
//! | `process` | [`process`] for a program that may be carried elsewhere, where the number means nothing; else 0 |
//! | `verb` | see [`Verb`] |
//! | `present` | bit `i`: there is a direction `along` for input `i`; bit `32 + i`: there is a tangent for it |
//! | `wanted` | bit `i`: the gradient by input `i` is a result |
//!
//! The arguments are the inputs, then the directions `along`, then the tangents, then the cotangent, as far
//! as the verb has them. All are of one type, float32 or float64. Python is not called: this runs on
//! threads of XLA's.

mod abi;
mod frame;
#[cfg(test)]
mod tests;

use std::ffi::{CString, c_void};
use std::hash::{BuildHasher, RandomState};
use std::mem::offset_of;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::null_mut;
use std::sync::LazyLock;

use smallvec::SmallVec;

use crate::array::{View, show_shape};
use crate::backend::{AnyOperation, Caller, Control, registry, verbs};
use crate::error::{Error, Result};
use frame::{Frame, Scalars};

/// What programs call the handler.
pub const TARGET: &str = "kinarray_call";

/// What to do with an operation; the numbers are those of the attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Forward = 0,
    Jvp = 1,
    Vjp = 2,
    JvpAlong = 3,
    VjpAlong = 4,
}

impl Verb {
    fn of(number: i64) -> Option<Self> {
        use Verb::{Forward, Jvp, JvpAlong, Vjp, VjpAlong};
        let all = [Forward, Jvp, Vjp, JvpAlong, VjpAlong];
        usize::try_from(number)
            .ok()
            .and_then(|at| all.get(at).copied())
    }

    fn has_along(self) -> bool {
        matches!(self, Self::JvpAlong | Self::VjpAlong)
    }

    fn has_tangents(self) -> bool {
        matches!(self, Self::Jvp | Self::JvpAlong)
    }

    fn pulls(self) -> bool {
        matches!(self, Self::Vjp | Self::VjpAlong)
    }
}

/// The attributes of a call.
struct Asked {
    operation: u64,
    verb: Verb,
    present: u64,
    wanted: u64,
}

/// A number that no other process has.
#[must_use]
pub fn process() -> i64 {
    static PROCESS: LazyLock<i64> = LazyLock::new(|| {
        let number = RandomState::new().hash_one(std::process::id()) >> 1;
        (number as i64).max(1)
    });
    *PROCESS
}

/// The handler.
///
/// # Safety
/// `frame` is a call frame of XLA's, with a version of the FFI from 0.1 on.
pub unsafe extern "C" fn handler(frame: *mut c_void) -> *mut c_void {
    // SAFETY: the caller's promise.
    let Some(frame) = (unsafe { Frame::new(frame.cast()) }) else {
        return null_mut();
    };
    let failure = match catch_unwind(AssertUnwindSafe(|| call(&frame))) {
        Ok(Ok(())) => return null_mut(),
        Ok(Err(error)) => (error.to_string(), abi::INVALID_ARGUMENT),
        Err(panic) => {
            let text = panic
                .downcast_ref::<&str>()
                .map(|text| (*text).to_owned())
                .or_else(|| panic.downcast_ref::<String>().cloned())
                .unwrap_or_else(|| "a panic without a message".into());
            // What was thrown may throw again where it is dropped.
            std::mem::forget(panic);
            let text = format!("internal error, please report it: {text}");
            (text, abi::INTERNAL)
        }
    };
    let (text, code) = failure;
    let message = CString::new(text.replace('\0', " ")).unwrap_or_default();
    let mut arguments = abi::ErrorCreateArgs {
        struct_size: offset_of!(abi::ErrorCreateArgs, code) + size_of_val(&code),
        extension_start: null_mut(),
        message: message.as_ptr(),
        code,
    };
    // SAFETY: XLA's own function, which copies the message.
    unsafe { (frame.api().error_create)(&raw mut arguments) }
}

fn call(frame: &Frame<'_>) -> Result<()> {
    let Some(asked) = asked(&frame.scalars()?)? else {
        return Err(Error::value(
            TARGET,
            "the program was compiled in another process, whose operations are not known here: \
             programs that call kinarray cannot be exported and used elsewhere",
        ));
    };
    let Some(operation) = registry::find(asked.operation) else {
        return Err(Error::value(
            TARGET,
            format!(
                "there is no operation {} in this process; was the program compiled in another one?",
                asked.operation
            ),
        ));
    };
    match frame.dtype()? {
        abi::F64 => compute::<f64>(frame, &*operation, &asked),
        _ => compute::<f32>(frame, &*operation, &asked),
    }
}

/// `None` where the program is another process's.
fn asked(scalars: &Scalars) -> Result<Option<Asked>> {
    let number = |name: &str| {
        let found = scalars.iter().find(|(own, _)| own == name);
        found
            .map(|&(_, value)| value)
            .ok_or_else(|| Error::value(TARGET, format!("the attribute {name} is missing")))
    };
    let home = number("process")?;
    if home != 0 && home != process() {
        return Ok(None);
    }
    let verb = number("verb")?;
    let Some(verb) = Verb::of(verb) else {
        return Err(Error::value(TARGET, format!("there is no verb {verb}")));
    };
    Ok(Some(Asked {
        operation: number("operation")? as u64,
        verb,
        present: number("present")? as u64,
        wanted: number("wanted")? as u64,
    }))
}

/// Whether bit `at` is set.
fn has(mask: u64, at: usize) -> bool {
    mask >> at & 1 == 1
}

fn compute<T: Caller + frame::Element>(
    frame: &Frame<'_>,
    operation: &dyn AnyOperation,
    asked: &Asked,
) -> Result<()> {
    let (name, verb) = (operation.name(), asked.verb);
    let count = operation.inputs().len();
    let (along, tangents) = (asked.present & 0xffff_ffff, asked.present >> 32);
    let (along, tangents, wanted) = (
        if verb.has_along() { along } else { 0 },
        if verb.has_tangents() { tangents } else { 0 },
        if verb.pulls() { asked.wanted } else { 0 },
    );
    if (along | tangents | wanted) >> count.min(63) != 0 {
        let problem = "there are directions or gradients of inputs that it does not have";
        return Err(Error::value(name, problem));
    }
    let given = (along.count_ones() + tangents.count_ones()) as usize;
    let expected = count + given + usize::from(verb.pulls());
    let arguments = frame.arguments::<T>()?;
    if arguments.len() != expected {
        let got = arguments.len();
        let problem = format!("expected {expected} arrays, got {got}");
        return Err(Error::value(name, problem));
    }
    let (inputs, rest) = arguments.split_at(count);
    let mut rest = rest.iter();
    let mut pick = |mask: u64| -> SmallVec<[Option<View<'_, T>>; 4]> {
        (0..count)
            .map(|at| {
                if has(mask, at) {
                    rest.next().cloned()
                } else {
                    None
                }
            })
            .collect()
    };
    let (along, tangents) = (pick(along), pick(tangents));
    let cotangent = rest.next();
    let shapes: SmallVec<[&[usize]; 4]> = inputs.iter().map(View::shape).collect();
    let fit = verbs::fit(operation, &shapes)?;
    let results: SmallVec<[&[usize]; 4]> = match verb.pulls() {
        true => (0..count)
            .filter(|&at| has(wanted, at))
            .map(|at| shapes[at])
            .collect(),
        false => SmallVec::from_slice(&[&fit.output[..]]),
    };
    let results = frame.results::<T>(name, &results)?;
    let mut results = results.into_iter();
    let control = Control::default();
    if let Some(cotangent) = cotangent {
        let mut gradients: SmallVec<[Option<&mut [T]>; 4]> = (0..count)
            .map(|at| {
                if has(wanted, at) {
                    results.next()
                } else {
                    None
                }
            })
            .collect();
        return match verb {
            Verb::Vjp => verbs::vjp(operation, inputs, cotangent, &mut gradients, &control),
            _ => verbs::vjp_along(
                operation,
                inputs,
                &along,
                cotangent,
                &mut gradients,
                &control,
            ),
        };
    }
    let Some(out) = results.next() else {
        return Err(Error::value(name, "there is no result to write to"));
    };
    match verb {
        Verb::Forward => verbs::forward(operation, inputs, out, &control),
        Verb::Jvp => verbs::jvp(operation, inputs, &tangents, out, &control),
        _ => verbs::jvp_along(operation, inputs, &along, &tangents, out, &control),
    }
}

/// The error for a result of another shape than the operation's.
#[cold]
fn misshapen(name: &str, expected: &[usize], got: &[usize]) -> Error {
    Error::shape(
        format!("{name}: the result"),
        show_shape(expected),
        show_shape(got),
    )
}
