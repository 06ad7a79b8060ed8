#include "silero.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// What is left to be read, and what is left to be filled, while the arrays are put in the kernel's order.
typedef struct {
    const float *in;
    float *out;
} cursor;

static int window_of(int rate) { return rate == 8000 ? 128 : rate == 16000 ? 256 : 0; }

static int padded(int outputs) { return (outputs + LANES - 1) / LANES * LANES; }

size_t silero_number_count(int rate)
{
    size_t window = window_of(rate), bins = window / 2 + 1, width = SILERO_WIDTH;
    if (!window) return 0;
    return 2 * bins * window + (width * bins * 3 + width) + (64 * width * 3 + 64) + (64 * 64 * 3 + 64)
        + (width * 64 * 3 + width) + 2 * 4 * width * width + 2 * 4 * width + width + 1;
}

// Makes room for a matrix's panels; its numbers are set one by one, the padding stays zero.
static float *reserve(cursor *at, matrix *m, int inputs, int outputs)
{
    float *panels = at->out;
    *m = (matrix){.panels = panels, .inputs = inputs, .outputs = padded(outputs)};
    at->out += (size_t)m->inputs * m->outputs;
    return panels;
}

static void set(float *panels, int inputs, int output, int input, float value)
{
    panels[(size_t)(output / LANES) * inputs * LANES + (size_t)input * LANES + output % LANES] = value;
}

static float *reserve_bias(cursor *at, matrix *m)
{
    float *bias = at->out;
    m->bias = bias;
    at->out += m->outputs;
    return bias;
}

// A convolution's [output][channel][3] and its bias; keeps `taps` of the three from `from` on, as [tap][channel].
static void convolution(cursor *at, matrix *m, int outputs, int channels, int from, int taps)
{
    float *panels = reserve(at, m, taps * channels, outputs);
    for (int o = 0; o < outputs; o++)
        for (int c = 0; c < channels; c++)
            for (int t = 0; t < taps; t++)
                set(panels, m->inputs, o, t * channels + c, at->in[(o * channels + c) * 3 + from + t]);
    at->in += (size_t)outputs * channels * 3;
    memcpy(reserve_bias(at, m), at->in, sizeof(float) * outputs);
    at->in += outputs;
}

static void lstm(cursor *at, matrix *m)
{
    enum { OUT = 4 * SILERO_WIDTH };
    float *panels = reserve(at, m, 2 * SILERO_WIDTH, OUT);
    for (int part = 0; part < 2; part++)
        for (int o = 0; o < OUT; o++)
            for (int i = 0; i < SILERO_WIDTH; i++)
                set(panels, m->inputs, o, part * SILERO_WIDTH + i, *at->in++);
    float *bias = reserve_bias(at, m);
    for (int o = 0; o < OUT; o++) bias[o] = at->in[o] + at->in[OUT + o];
    at->in += 2 * OUT;
}

silero_weights *silero_weights_make(const float *numbers, size_t count, int rate, bool portable)
{
    int window = window_of(rate), bins = window / 2 + 1;
    if (!window || count != silero_number_count(rate)) return NULL;
    silero_weights *w = calloc(1, sizeof *w);
    // Padding adds at most LANES outputs to a matrix, whose inputs are fewer than 512.
    float *memory = calloc(count + 6 * 512 * LANES, sizeof(float));
    if (!w || !memory) {
        free(w);
        free(memory);
        return NULL;
    }
    *w = (silero_weights){.window = window, .bins = bins, .chunk = 2 * window, .context = window / 4};
    w->memory = memory;
    cursor at = {numbers, memory};
    float *basis = reserve(&at, &w->spectrum, window, 2 * bins);
    for (int o = 0; o < 2 * bins; o++)
        for (int i = 0; i < window; i++) set(basis, window, o, i, *at.in++);
    convolution(&at, &w->first, 128, bins, 0, 3);
    convolution(&at, &w->second, 64, 128, 0, 3);
    convolution(&at, &w->third, 64, 64, 1, 2);
    convolution(&at, &w->fourth, 128, 64, 1, 1);
    lstm(&at, &w->gates);
    memcpy(at.out, at.in, sizeof(float) * SILERO_WIDTH);
    w->last = at.out;
    w->last_bias = at.in[SILERO_WIDTH];
    w->run = silero_run_portable;
#if defined(__x86_64__)
    if (!portable && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) w->run = silero_run_avx2;
#else
    (void)portable;
#endif
    return w;
}

void silero_weights_free(silero_weights *weights)
{
    if (!weights) return;
    free(weights->memory);
    free(weights);
}

void silero_set_context(const silero_weights *weights, silero_state *state, const float *samples)
{
    memcpy(state->context, samples, sizeof(float) * weights->context);
}

float silero_run(const silero_weights *weights, silero_state *state, const float *samples)
{
    return weights->run(weights, state, samples);
}
