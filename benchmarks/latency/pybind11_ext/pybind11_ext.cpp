// pybind11's array_t: checked for its element type, converted only where that is asked for.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

namespace py = pybind11;

using Array = py::array_t<float, py::array::c_style>;

static const float *data(const Array &array, py::ssize_t size)
{
    if (array.ndim() != 1 || array.shape(0) != size) {
        throw py::value_error("expected arrays of one axis and equal length");
    }
    return array.data();
}

static void scale_shift_into(const Array &a, Array &out)
{
    const py::ssize_t size = out.size();
    const float *in = data(a, size);
    float *to = out.mutable_data();
    for (py::ssize_t i = 0; i < size; ++i) {
        to[i] = in[i] * 2.0f + 1.0f;
    }
}

static void multiply_add_into(const Array &a, const Array &b, const Array &c, Array &out)
{
    const py::ssize_t size = out.size();
    const float *x = data(a, size), *y = data(b, size), *z = data(c, size);
    float *to = out.mutable_data();
    for (py::ssize_t i = 0; i < size; ++i) {
        to[i] = x[i] * y[i] + z[i];
    }
}

PYBIND11_MODULE(pybind11_ext, m)
{
    m.def("scale_shift", [](const Array &a) {
        Array out(a.size());
        scale_shift_into(a, out);
        return out;
    }, py::arg("a").noconvert());
    m.def("multiply_add", [](const Array &a, const Array &b, const Array &c) {
        Array out(a.size());
        multiply_add_into(a, b, c, out);
        return out;
    }, py::arg("a").noconvert(), py::arg("b").noconvert(), py::arg("c").noconvert());
    m.def("scale_shift_into", [](const Array &a, Array out) {
        scale_shift_into(a, out);
        return out;
    }, py::arg("a").noconvert(), py::arg("out").noconvert());
    m.def("multiply_add_into", [](const Array &a, const Array &b, const Array &c, Array out) {
        multiply_add_into(a, b, c, out);
        return out;
    }, py::arg("a").noconvert(), py::arg("b").noconvert(), py::arg("c").noconvert(),
       py::arg("out").noconvert());
}
