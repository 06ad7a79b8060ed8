#include <stdlib.h>

#include <pocketsphinx.h>
#include <sphinxbase/cmn.h>
#include <sphinxbase/err.h>

#include "CVoicesShim.h"

#define BLOCK 160

// Where the features' running mean starts in each utterance: what it settles at over telephone speech of flite's rms and slt.
// From the model's own mean (16 kHz speech) the first words of a call would be lost.
static const mfcc_t telephone_mean[13] = {
    47.67, -5.61, 13.48, 10.05, 9.69, -2.21, 3.94, -6.34, -11.38, 4.15, -2.06, 6.71, 2.98,
};

struct voices_decoder {
    ps_decoder_t *sphinx;
};

static void silent(void *user, err_lvl_t level, const char *format, ...)
{
    (void)user; (void)level; (void)format;
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
        "-wip", "0.002", "-silprob", "0.3",
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
    // The running mean of the last caller must not colour this one's: the same audio gives the same words.
    cmn_live_set(ps_get_feat(decoder->sphinx)->cmn_struct, telephone_mean);
    return ps_start_utt(decoder->sphinx);
}

// To 16 kHz by a zero after each sample, and on purpose no filter behind it: that mirrors the telephone band into the
// one above 4 kHz, which the model was trained with and a filter would leave empty; an "s" gets its hiss again.
// With the model's own settings, of rms over 8 kHz mu-law: 78 dates all right so, 62 % behind a good filter; ten-digit
// numbers 55 % against none. The settings in `voices_decoder_open` and the mean above do the rest.
int voices_decoder_hear(voices_decoder *decoder, const int16_t *samples, int count)
{
    int16_t wide[2 * BLOCK] = {0};
    while (count > 0) {
        int n = count < BLOCK ? count : BLOCK;
        for (int i = 0; i < n; i++) wide[2 * i] = samples[i];
        if (ps_process_raw(decoder->sphinx, wide, 2 * n, FALSE, FALSE) < 0) return -1;
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
    // Without silence removal PocketSphinx counts frames on from one utterance to the next: the first segment tells where
    // this one began.
    int begin = -1;
    for (ps_seg_t *segment = ps_seg_iter(decoder->sphinx); segment; segment = ps_seg_next(segment)) {
        int start, end;
        ps_seg_frames(segment, &start, &end);
        if (begin < 0) begin = start;
        word(user, ps_seg_word(segment), start - begin, end - begin);
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
