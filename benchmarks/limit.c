/* What the machine can do: forward kinematics and linear blend skinning as plain vectorised loops.
 *
 * No checks, no allocation, sixteen poses side by side in one vector, batch a multiple of sixteen.
 * Built by limit.py with `cc -O3 -march=native`; vector types of GCC and Clang, so any CPU works.
 */
#include <stdint.h>
#include <string.h>
#if defined(__AVX__)
#include <immintrin.h>
#endif

enum { W = 16 };
typedef float v __attribute__((vector_size(4 * W)));
typedef int32_t vi __attribute__((vector_size(4 * W)));

static inline v all(float x) { return x - (v){}; }
static inline v bits(vi i) { v f; memcpy(&f, &i, sizeof f); return f; }
static inline vi bits_of(v f) { vi i; memcpy(&i, &f, sizeof i); return i; }
static inline vi whole(v x) { return __builtin_convertvector(x, vi); }

/* sine and cosine for |x| < 1e4: quarter turns off, then the two short polynomials */
static inline void sincos16(v x, v *s, v *c) {
    const v magic = all(12582912.0f);
    v k = x * 0.63661977f + magic;
    vi quarter = bits_of(k);
    k -= magic;
    v r = (x - k * 1.5707964f) + k * 4.3711388e-8f;
    v r2 = r * r;
    v sine = r + r * r2 * (-1.6666655e-1f + r2 * (8.3321608e-3f - r2 * 1.9515296e-4f));
    v cosine = 1.0f - 0.5f * r2 + r2 * r2 * (4.1666646e-2f - r2 * (1.3887316e-3f - r2 * 2.4433157e-5f));
    vi swap = (quarter & 1) != 0;
    vi neg_s = (quarter & 2) << 30, neg_c = ((quarter + 1) & 2) << 30;
    vi si = (swap & bits_of(cosine)) | (~swap & bits_of(sine));
    vi co = (swap & bits_of(sine)) | (~swap & bits_of(cosine));
    *s = bits(si ^ neg_s);
    *c = bits(co ^ neg_c);
}

static inline v exp2_16(v x) {
    const v magic = all(12582912.0f);
    v k = (x + magic) - magic;
    v r = x - k;
    v p = 1.0f + r * (6.9314718e-1f + r * (2.4022651e-1f + r * (5.5504109e-2f
          + r * (9.6181291e-3f + r * (1.3333558e-3f + r * 1.5403530e-4f)))));
    return p * bits((whole(k) + 127) << 23);
}

/* out[p * out_stride + i] = in[i][p] for eight i and sixteen p */
static inline void transpose_8x16(const v *in, float *out, long out_stride) {
#if defined(__AVX__)
    for (int half = 0; half < 2; half++) {
        __m256 r[8], t[8];
        for (int i = 0; i < 8; i++) r[i] = _mm256_loadu_ps((const float *)&in[i] + 8 * half);
        for (int i = 0; i < 4; i++) {
            t[2 * i] = _mm256_unpacklo_ps(r[2 * i], r[2 * i + 1]);
            t[2 * i + 1] = _mm256_unpackhi_ps(r[2 * i], r[2 * i + 1]);
        }
        for (int i = 0; i < 2; i++) {
            r[4 * i] = _mm256_shuffle_ps(t[4 * i], t[4 * i + 2], 0x44);
            r[4 * i + 1] = _mm256_shuffle_ps(t[4 * i], t[4 * i + 2], 0xee);
            r[4 * i + 2] = _mm256_shuffle_ps(t[4 * i + 1], t[4 * i + 3], 0x44);
            r[4 * i + 3] = _mm256_shuffle_ps(t[4 * i + 1], t[4 * i + 3], 0xee);
        }
        float *row = out + 8 * half * out_stride;
        for (int i = 0; i < 4; i++) {
            _mm256_storeu_ps(row + i * out_stride, _mm256_permute2f128_ps(r[i], r[i + 4], 0x20));
            _mm256_storeu_ps(row + (i + 4) * out_stride, _mm256_permute2f128_ps(r[i], r[i + 4], 0x31));
        }
    }
#else
    for (int p = 0; p < W; p++)
        for (int i = 0; i < 8; i++) out[p * out_stride + i] = ((const float *)&in[i])[p];
#endif
}

static inline void rotate(const v *q, v x, v y, v z, v *o) {
    v tx = 2.0f * (q[1] * z - q[2] * y), ty = 2.0f * (q[2] * x - q[0] * z), tz = 2.0f * (q[0] * y - q[1] * x);
    o[0] = x + q[3] * tx + (q[1] * tz - q[2] * ty);
    o[1] = y + q[3] * ty + (q[2] * tx - q[0] * tz);
    o[2] = z + q[3] * tz + (q[0] * ty - q[1] * tx);
}

static inline void product(const v *a, const v *b, v *o) {
    v x = a[3] * b[0] + a[0] * b[3] + a[1] * b[2] - a[2] * b[1];
    v y = a[3] * b[1] - a[0] * b[2] + a[1] * b[3] + a[2] * b[0];
    v z = a[3] * b[2] + a[0] * b[1] - a[1] * b[0] + a[2] * b[3];
    v w = a[3] * b[3] - a[0] * b[0] - a[1] * b[1] - a[2] * b[2];
    o[0] = x, o[1] = y, o[2] = z, o[3] = w;
}

/* model parameters (B, P) -> states (B, J, 8); `work` holds (P + 8 J) vectors */
void limit_fk(const float *poses, long batch, long n_parameters, long n_joints, const int32_t *parents,
              const float *pre, const float *offset, const int32_t *row_start, const int32_t *column,
              const float *value, float *out, float *work) {
    v *m = (v *)work, *world = m + n_parameters;
    for (long first = 0; first < batch; first += W) {
        const float *from = poses + first * n_parameters;
        for (long i = 0; i < n_parameters; i++)
            for (int p = 0; p < W; p++) ((float *)&m[i])[p] = from[p * n_parameters + i];
        for (long j = 0; j < n_joints; j++) {
            v q[7];
            for (int k = 0; k < 7; k++) {
                v sum = {};
                for (int e = row_start[7 * j + k]; e < row_start[7 * j + k + 1]; e++) sum += value[e] * m[column[e]];
                q[k] = sum;
            }
            v sx, cx, sy, cy, sz, cz;
            sincos16(0.5f * q[3], &sx, &cx);
            sincos16(0.5f * q[4], &sy, &cy);
            sincos16(0.5f * q[5], &sz, &cz);
            v euler[4] = {cz * cy * sx - sz * sy * cx, cz * sy * cx + sz * cy * sx,
                          sz * cy * cx - cz * sy * sx, cz * cy * cx + sz * sy * sx};
            v fixed[4] = {all(pre[4 * j]), all(pre[4 * j + 1]), all(pre[4 * j + 2]), all(pre[4 * j + 3])};
            v *s = world + 8 * j;
            v t[3] = {q[0] + offset[3 * j], q[1] + offset[3 * j + 1], q[2] + offset[3 * j + 2]};
            v scale = exp2_16(q[6]), local[4];
            product(fixed, euler, local);
            if (parents[j] >= 0) {
                const v *up = world + 8 * parents[j];
                v moved[3];
                rotate(up + 3, t[0], t[1], t[2], moved);
                for (int k = 0; k < 3; k++) s[k] = up[k] + up[7] * moved[k];
                product(up + 3, local, s + 3);
                s[7] = up[7] * scale;
            } else {
                for (int k = 0; k < 3; k++) s[k] = t[k];
                for (int k = 0; k < 4; k++) s[3 + k] = local[k];
                s[7] = scale;
            }
            transpose_8x16(s, out + first * n_joints * 8 + j * 8, n_joints * 8);
        }
    }
}

/* states (B, J, 8) -> points (B, V, 3), V a multiple of sixteen; `bind` is (J, 4, 3): the columns of the
 * inverse bind matrices; `work` holds 12 J vectors */
void limit_skin(const float *states, long batch, long n_joints, const float *bind, long n_vertices,
                long n_influences, const uint32_t *index, const float *weight, const float *rest,
                float *out, float *work) {
    v *matrices = (v *)work;
    for (long first = 0; first < batch; first += W) {
        for (long j = 0; j < n_joints; j++) {
            v s[8];
            for (int k = 0; k < 8; k++)
                for (int p = 0; p < W; p++) ((float *)&s[k])[p] = states[((first + p) * n_joints + j) * 8 + k];
            v *m = matrices + 12 * j;
            for (int c = 0; c < 4; c++) {
                const float *b = bind + 12 * j + 3 * c;
                rotate(s + 3, all(b[0]), all(b[1]), all(b[2]), m + 3 * c);
                for (int k = 0; k < 3; k++) m[3 * c + k] = s[7] * m[3 * c + k] + (c == 3 ? s[k] : all(0));
            }
        }
        for (long block = 0; block < n_vertices; block += W) {
            v points[3 * W];
            for (long i = 0; i < W; i++) {
                const uint32_t *joint = index + (block + i) * n_influences;
                const float *w = weight + (block + i) * n_influences;
                const float *r = rest + (block + i) * 3;
                v m[12] = {};
                for (long e = 0; e < n_influences; e++) {
                    const v *from = matrices + 12 * (long)joint[e];
                    for (int k = 0; k < 12; k++) m[k] += w[e] * from[k];
                }
                for (int k = 0; k < 3; k++) points[3 * i + k] = m[k] * r[0] + m[3 + k] * r[1] + m[6 + k] * r[2] + m[9 + k];
            }
            for (int i = 0; i < 3 * W; i += 8)
                transpose_8x16(points + i, out + (first * n_vertices + block) * 3 + i, n_vertices * 3);
        }
    }
}

/* n products of quaternions x y z w, as they are */
void limit_multiply(const float *restrict a, const float *restrict b, long n, float *restrict out) {
    for (long i = 0; i < n; i++, a += 4, b += 4, out += 4) {
        out[0] = a[3] * b[0] + a[0] * b[3] + a[1] * b[2] - a[2] * b[1];
        out[1] = a[3] * b[1] - a[0] * b[2] + a[1] * b[3] + a[2] * b[0];
        out[2] = a[3] * b[2] + a[0] * b[1] - a[1] * b[0] + a[2] * b[3];
        out[3] = a[3] * b[3] - a[0] * b[0] - a[1] * b[1] - a[2] * b[2];
    }
}
