#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <pocketsphinx.h>
#include <sphinxbase/cmn.h>
#include <sphinxbase/err.h>

#include "CVoicesShim.h"

// Interpolator: UP_TAPS taps for the odd output samples, the even ones are the input itself.
#define UP_TAPS 24
#define BLOCK 160

// The model was trained on 16 kHz speech: with nothing above 4 kHz its features make no sense. So the odd samples are
// weakened on purpose, which mirrors the telephone band into the empty one: an "s" gets a hiss again. Measured with
// 8 kHz mu-law speech of flite's rms: 24 ten-digit numbers all right with the mirror, 75 % with a perfect interpolator;
// 36 dates all right against 92 %, 70 names 97 % against 96 %.
#define MIRROR 0.25f

// The mean of such features over telephone speech, where each utterance starts from.
static const mfcc_t telephone_mean[13] = {
    44.90, -3.41, 4.20, 8.33, 5.13, -4.41, 1.89, -4.71, -6.23, 0.85, -4.21, 3.13, 1.51,
};

struct voices_decoder {
    ps_decoder_t *sphinx;
    int16_t history[UP_TAPS];
    float taps[UP_TAPS];
};

static void silent(void *user, err_lvl_t level, const char *format, ...)
{
    (void)user; (void)level; (void)format;
}

static void make_taps(float *taps)
{
    // Blackman-windowed sinc at the midpoint between samples; unity gain at 0 Hz.
    double sum = 0;
    for (int i = 0; i < UP_TAPS; i++) {
        double x = i - (UP_TAPS - 1) / 2.0;
        double w = 2 * M_PI * (i + 0.5) / UP_TAPS;
        taps[i] = sin(M_PI * x) / (M_PI * x) * (0.42 - 0.5 * cos(w) + 0.08 * cos(2 * w));
        sum += taps[i];
    }
    for (int i = 0; i < UP_TAPS; i++) taps[i] /= sum;
}

voices_decoder *voices_decoder_open(const char *model, const char *dictionary)
{
    // The log file is a setting of each thread, and a NULL one also stops the print-out of the configuration.
    err_set_callback(silent, NULL);
    err_set_logfp(NULL);
    char *arguments[] = {
        "-hmm", (char *)model, "-dict", (char *)dictionary,
        "-samprate", "16000", "-remove_silence", "no", "-bestpath", "no",
        // Few words, long pauses: without these, clicks and pauses become "two".
        "-wip", "0.0005", "-silprob", "0.1",
    };
    int count = 14;
    cmd_ln_t *config = cmd_ln_parse_r(NULL, ps_args(), count, arguments, TRUE);
    if (!config) return NULL;
    ps_decoder_t *sphinx = ps_init(config);
    cmd_ln_free_r(config);
    if (!sphinx) return NULL;
    voices_decoder *decoder = calloc(1, sizeof *decoder);
    if (!decoder) { ps_free(sphinx); return NULL; }
    decoder->sphinx = sphinx;
    make_taps(decoder->taps);
    return decoder;
}

void voices_decoder_close(voices_decoder *decoder)
{
    ps_free(decoder->sphinx);
    free(decoder);
}

int voices_decoder_add_word(voices_decoder *decoder, const char *word, const char *phones)
{
    return ps_add_word(decoder->sphinx, word, phones, FALSE) < 0 ? -1 : 0;
}

int voices_decoder_add_grammar(voices_decoder *decoder, const char *name, const char *jsgf)
{
    return ps_set_jsgf_string(decoder->sphinx, name, jsgf);
}

void voices_decoder_drop_grammar(voices_decoder *decoder, const char *name)
{
    ps_unset_search(decoder->sphinx, name);
}

int voices_decoder_begin(voices_decoder *decoder, const char *grammar)
{
    if (ps_set_search(decoder->sphinx, grammar) != 0) return -1;
    memset(decoder->history, 0, sizeof decoder->history);
    // The running mean of the last caller must not colour this one's: the same audio gives the same words.
    cmn_live_set(ps_get_feat(decoder->sphinx)->cmn_struct, telephone_mean);
    return ps_start_utt(decoder->sphinx);
}

int voices_decoder_hear(voices_decoder *decoder, const int16_t *samples, int count)
{
    int16_t wide[2 * BLOCK];
    int16_t line[UP_TAPS + BLOCK];
    while (count > 0) {
        int n = count < BLOCK ? count : BLOCK;
        memcpy(line, decoder->history, sizeof decoder->history);
        memcpy(line + UP_TAPS, samples, n * sizeof *samples);
        for (int i = 0; i < n; i++) {
            float sum = 0;
            for (int k = 0; k < UP_TAPS; k++) sum += decoder->taps[k] * line[i + 1 + k];
            sum *= MIRROR;
            float even = line[i + UP_TAPS / 2];
            wide[2 * i] = even > 32767 ? 32767 : even < -32768 ? -32768 : lrintf(even);
            wide[2 * i + 1] = sum > 32767 ? 32767 : sum < -32768 ? -32768 : lrintf(sum);
        }
        if (ps_process_raw(decoder->sphinx, wide, 2 * n, FALSE, FALSE) < 0) return -1;
        memcpy(decoder->history, line + n, sizeof decoder->history);
        samples += n;
        count -= n;
    }
    return 0;
}

int voices_decoder_end(voices_decoder *decoder)
{
    return ps_end_utt(decoder->sphinx);
}

const char *voices_decoder_hypothesis(voices_decoder *decoder)
{
    int32 score;
    return ps_get_hyp(decoder->sphinx, &score);
}

void voices_decoder_words(voices_decoder *decoder, voices_word word, void *user)
{
    for (ps_seg_t *segment = ps_seg_iter(decoder->sphinx); segment; segment = ps_seg_next(segment)) {
        int start, end;
        ps_seg_frames(segment, &start, &end);
        word(user, ps_seg_word(segment), start, end);
    }
}


int voices_decoder_fit(voices_decoder *decoder)
{
    int64_t score = 0, frames = 0;
    for (ps_seg_t *segment = ps_seg_iter(decoder->sphinx); segment; segment = ps_seg_next(segment)) {
        int start, end;
        int32 acoustic, language, backoff;
        char first = ps_seg_word(segment)[0];
        ps_seg_frames(segment, &start, &end);
        ps_seg_prob(segment, &acoustic, &language, &backoff);
        if (first == '<' || first == '[' || first == '(') continue;
        score += acoustic;
        frames += end - start + 1;
    }
    return frames ? (int)(score / frames) : 0;
}
