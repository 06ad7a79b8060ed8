// Shapes shared by the kernel's two compilations.
#ifndef PARLEY_SILERO_H
#define PARLEY_SILERO_H

#include "CSilero.h"

// Outputs are computed 16 at a time; a matrix is kept as panels of 16 outputs, each [input][16].
#define LANES 16
#define FRAMES 4
#define BINS_MAX 129
#define WINDOW_MAX 256

typedef struct {
    const float *panels;
    const float *bias;
    int inputs, outputs;
} matrix;

struct silero_weights {
    int window, bins, chunk, context;
    // Spectrum: inputs = window, outputs = 2 x bins. Convolutions: inputs = taps x channels, of the taps that
    // can meet a frame. Gates: inputs = 256, the LSTM's input and its h.
    matrix spectrum, first, second, third, fourth, gates;
    const float *last;
    float last_bias;
    float (*run)(const silero_weights *, silero_state *, const float *);
    float *memory;
};

float silero_run_portable(const silero_weights *, silero_state *, const float *);
float silero_run_avx2(const silero_weights *, silero_state *, const float *);

#endif
