// tvm-ffi: views in; out either a tensor of its own (malloc), or one from the allocator of the framework
// that the arguments come from, which only torch offers.
#include <tvm/ffi/container/tensor.h>
#include <tvm/ffi/error.h>
#include <tvm/ffi/extra/c_env_api.h>
#include <tvm/ffi/function.h>

#include <cstdlib>

namespace ffi = tvm::ffi;

struct Malloc {
    void AllocData(DLTensor *tensor) { tensor->data = std::malloc(ffi::GetDataSize(*tensor)); }
    void FreeData(DLTensor *tensor) { std::free(tensor->data); }
};

static const float *data(const ffi::TensorView &array, int64_t size)
{
    const DLDataType dtype = array.dtype();
    if (array.ndim() != 1 || array.shape()[0] != size || !array.IsContiguous()
        || dtype.code != kDLFloat || dtype.bits != 32 || dtype.lanes != 1
        || array.device().device_type != kDLCPU) {
        TVM_FFI_THROW(ValueError) << "expected contiguous float32 arrays of one axis and equal length";
    }
    return static_cast<const float *>(array.data_ptr());
}

static void scale_shift_to(const ffi::TensorView &a, float *to)
{
    const int64_t size = a.shape()[0];
    const float *in = data(a, size);
    for (int64_t i = 0; i < size; ++i) {
        to[i] = in[i] * 2.0f + 1.0f;
    }
}

static void multiply_add_to(const ffi::TensorView &a, const ffi::TensorView &b,
                            const ffi::TensorView &c, float *to)
{
    const int64_t size = a.shape()[0];
    const float *x = data(a, size), *y = data(b, size), *z = data(c, size);
    for (int64_t i = 0; i < size; ++i) {
        to[i] = x[i] * y[i] + z[i];
    }
}

static ffi::Tensor own(const ffi::TensorView &like)
{
    return ffi::Tensor::FromNDAlloc(Malloc(), like.shape(), like.dtype(), like.device());
}

static ffi::Tensor theirs(const ffi::TensorView &like)
{
    return ffi::Tensor::FromEnvAlloc(TVMFFIEnvTensorAlloc, like.shape(), like.dtype(), like.device());
}

static float *memory(const ffi::TensorView &out, int64_t size)
{
    return const_cast<float *>(data(out, size));
}

template <ffi::Tensor (*allocate)(const ffi::TensorView &)>
static ffi::Tensor scale_shift(ffi::TensorView a)
{
    ffi::Tensor out = allocate(a);
    scale_shift_to(a, static_cast<float *>(out.data_ptr()));
    return out;
}

template <ffi::Tensor (*allocate)(const ffi::TensorView &)>
static ffi::Tensor multiply_add(ffi::TensorView a, ffi::TensorView b, ffi::TensorView c)
{
    ffi::Tensor out = allocate(a);
    multiply_add_to(a, b, c, static_cast<float *>(out.data_ptr()));
    return out;
}

static void scale_shift_into(ffi::TensorView a, ffi::TensorView out)
{
    scale_shift_to(a, memory(out, a.shape()[0]));
}

static void multiply_add_into(ffi::TensorView a, ffi::TensorView b, ffi::TensorView c,
                              ffi::TensorView out)
{
    multiply_add_to(a, b, c, memory(out, a.shape()[0]));
}

TVM_FFI_DLL_EXPORT_TYPED_FUNC(scale_shift_own, scale_shift<own>);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(multiply_add_own, multiply_add<own>);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(scale_shift, scale_shift<theirs>);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(multiply_add, multiply_add<theirs>);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(scale_shift_into, scale_shift_into);
TVM_FFI_DLL_EXPORT_TYPED_FUNC(multiply_add_into, multiply_add_into);
