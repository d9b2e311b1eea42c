// nanobind's ndarray: any framework in, and out the framework that the function is compiled for.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <cstddef>

namespace nb = nanobind;

using Input = nb::ndarray<const float, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Output = nb::ndarray<float, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

static void same_length(size_t expected, size_t got)
{
    if (expected != got) {
        throw nb::value_error("expected arrays of equal length");
    }
}

static void scale_shift_to(const Input &a, float *to)
{
    const float *in = a.data();
    for (size_t i = 0; i < a.shape(0); ++i) {
        to[i] = in[i] * 2.0f + 1.0f;
    }
}

static void multiply_add_to(const Input &a, const Input &b, const Input &c, float *to)
{
    const size_t size = a.shape(0);
    same_length(size, b.shape(0));
    same_length(size, c.shape(0));
    const float *x = a.data(), *y = b.data(), *z = c.data();
    for (size_t i = 0; i < size; ++i) {
        to[i] = x[i] * y[i] + z[i];
    }
}

// What nanobind's documentation does to return fresh memory: a capsule owns it.
template <typename Framework> static auto fresh(float *data, size_t size)
{
    nb::capsule owner(data, [](void *memory) noexcept { delete[] static_cast<float *>(memory); });
    return nb::ndarray<Framework, float, nb::ndim<1>>(data, {size}, owner);
}

template <typename Framework> static void functions(nb::module_ m)
{
    m.def("scale_shift", [](Input a) {
        float *data = new float[a.shape(0)];
        scale_shift_to(a, data);
        return fresh<Framework>(data, a.shape(0));
    }, nb::arg("a").noconvert());
    m.def("multiply_add", [](Input a, Input b, Input c) {
        float *data = new float[a.shape(0)];
        multiply_add_to(a, b, c, data);
        return fresh<Framework>(data, a.shape(0));
    }, nb::arg("a").noconvert(), nb::arg("b").noconvert(), nb::arg("c").noconvert());
}

NB_MODULE(nanobind_ext, m)
{
    functions<nb::numpy>(m.def_submodule("numpy"));
    functions<nb::pytorch>(m.def_submodule("torch"));
    functions<nb::jax>(m.def_submodule("jax"));
    m.def("scale_shift_into", [](Input a, Output out) {
        same_length(a.shape(0), out.shape(0));
        scale_shift_to(a, out.data());
    }, nb::arg("a").noconvert(), nb::arg("out").noconvert());
    m.def("multiply_add_into", [](Input a, Input b, Input c, Output out) {
        same_length(a.shape(0), out.shape(0));
        multiply_add_to(a, b, c, out.data());
    }, nb::arg("a").noconvert(), nb::arg("b").noconvert(), nb::arg("c").noconvert(),
       nb::arg("out").noconvert());
}
