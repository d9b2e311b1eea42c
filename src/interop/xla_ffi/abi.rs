//! The part of XLA's FFI that a handler meets, after its C header (`xla/ffi/api/c_api.h`), version 0.1 and
//! later: fields are only ever added at the ends of structures.

use std::ffi::{c_char, c_int, c_void};

/// An element of a list that structures may carry.
#[repr(C)]
pub struct ExtensionBase {
    pub struct_size: usize,
    pub kind: c_int,
    pub next: *mut ExtensionBase,
}

/// [`ExtensionBase::kind`] of a [`MetadataExtension`].
pub const METADATA: c_int = 1;

/// What a handler writes its version of the FFI to.
#[repr(C)]
pub struct ApiVersion {
    pub struct_size: usize,
    pub extension_start: *mut ExtensionBase,
    pub major: c_int,
    pub minor: c_int,
}

/// What XLA wants to know about a handler.
#[repr(C)]
pub struct Metadata {
    pub struct_size: usize,
    pub api_version: ApiVersion,
    pub traits: u32,
}

/// The extension of a call that only asks.
#[repr(C)]
pub struct MetadataExtension {
    pub base: ExtensionBase,
    pub metadata: *mut Metadata,
}

/// [`ErrorCreateArgs::code`] of what the caller did wrong.
pub const INVALID_ARGUMENT: c_int = 3;
/// [`ErrorCreateArgs::code`] of a bug.
pub const INTERNAL: c_int = 13;

/// The arguments of [`Api::error_create`].
#[repr(C)]
pub struct ErrorCreateArgs {
    pub struct_size: usize,
    pub extension_start: *mut ExtensionBase,
    pub message: *const c_char,
    pub code: c_int,
}

/// The functions of XLA; more follow.
#[repr(C)]
pub struct Api {
    pub struct_size: usize,
    pub extension_start: *mut ExtensionBase,
    pub api_version: ApiVersion,
    pub internal_api: *const c_void,
    pub error_create: unsafe extern "C" fn(*mut ErrorCreateArgs) -> *mut c_void,
}

/// Element types.
pub const S64: c_int = 5;
/// Element types.
pub const F32: c_int = 11;
/// Element types.
pub const F64: c_int = 12;

/// An array.
#[repr(C)]
pub struct Buffer {
    pub struct_size: usize,
    pub extension_start: *mut ExtensionBase,
    pub dtype: c_int,
    pub data: *mut c_void,
    pub rank: i64,
    pub dims: *mut i64,
}

/// The type of an argument or a result that is a [`Buffer`].
pub const BUFFER: c_int = 1;

/// Arguments, or results.
#[repr(C)]
pub struct Buffers {
    pub struct_size: usize,
    pub extension_start: *mut ExtensionBase,
    pub size: i64,
    pub types: *mut c_int,
    pub each: *mut *mut c_void,
}

/// The type of an attribute that is a [`Scalar`].
pub const SCALAR: c_int = 3;

/// One number.
#[repr(C)]
pub struct Scalar {
    pub dtype: c_int,
    pub value: *mut c_void,
}

/// Text that does not end in a zero byte.
#[repr(C)]
pub struct ByteSpan {
    pub start: *const c_char,
    pub length: usize,
}

/// Attributes.
#[repr(C)]
pub struct Attributes {
    pub struct_size: usize,
    pub extension_start: *mut ExtensionBase,
    pub size: i64,
    pub types: *mut c_int,
    pub names: *mut *mut ByteSpan,
    pub each: *mut *mut c_void,
}

/// [`CallFrame::stage`] of a call that computes.
pub const EXECUTE: c_int = 3;

/// One call of a handler; more follows.
#[repr(C)]
pub struct CallFrame {
    pub struct_size: usize,
    pub extension_start: *mut ExtensionBase,
    pub api: *const Api,
    pub context: *mut c_void,
    pub stage: c_int,
    pub arguments: Buffers,
    pub results: Buffers,
    pub attributes: Attributes,
}
