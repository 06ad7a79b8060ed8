// memmem
#define _GNU_SOURCE
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <flite/flite.h>

#include "CVoicesShim.h"

// flite has no headers for its voices. The register functions give one instance per process and keep it in a global;
// with the global cleared they make another one, with features and values of its own over the same constant tables.
// That is what lets several threads speak with one voice: flite counts references without atomics.
cst_voice *register_cmu_us_slt(const char *directory);
cst_voice *register_cmu_us_rms(const char *directory);
cst_voice *register_cmu_us_awb(const char *directory);
cst_voice *register_cmu_us_kal(const char *directory);
extern cst_voice *cmu_us_slt_cg;
extern cst_voice *cmu_us_rms_cg;
extern cst_voice *cmu_us_awb_cg;
extern cst_voice *cmu_us_kal_diphone;
cst_lexicon *cmu_lex_init(void);

// 20 ms at 16 kHz: the smallest chunk a phone line can use.
#define CHUNK_SAMPLES 320

struct voices_speaker {
    cst_voice *voice;
    cst_audio_streaming_info *streaming;
    voices_audio audio;
    void *user;
    int stopped;
};

static int on_chunk(const cst_wave *wave, int start, int size, int last, cst_audio_streaming_info *info)
{
    voices_speaker *speaker = info->userdata;
    (void)last;
    if (!speaker->stopped && size > 0
        && speaker->audio(speaker->user, wave->samples + start, size, wave->sample_rate) != 0)
        speaker->stopped = 1;
    return speaker->stopped ? CST_AUDIO_STREAM_STOP : CST_AUDIO_STREAM_CONT;
}

static cst_voice *new_instance(const char *name)
{
    if (!strcmp(name, "slt")) { cmu_us_slt_cg = NULL; return register_cmu_us_slt(NULL); }
    if (!strcmp(name, "rms")) { cmu_us_rms_cg = NULL; return register_cmu_us_rms(NULL); }
    if (!strcmp(name, "awb")) { cmu_us_awb_cg = NULL; return register_cmu_us_awb(NULL); }
    if (!strcmp(name, "kal")) { cmu_us_kal_diphone = NULL; return register_cmu_us_kal(NULL); }
    return NULL;
}

voices_speaker *voices_speaker_open(const char *name)
{
    static int is_ready;
    if (!is_ready) {
        flite_init();
        is_ready = 1;
    }
    cst_voice *voice = new_instance(name);
    if (!voice) return NULL;
    voices_speaker *speaker = calloc(1, sizeof *speaker);
    cst_audio_streaming_info *streaming = new_audio_streaming_info();
    if (!speaker || !streaming) { free(speaker); return NULL; }
    streaming->min_buffsize = CHUNK_SAMPLES;
    streaming->asc = on_chunk;
    streaming->userdata = speaker;
    feat_set(voice->features, "streaming_info", audio_streaming_info_val(streaming));
    speaker->voice = voice;
    speaker->streaming = streaming;
    return speaker;
}

int voices_speaker_speak(voices_speaker *speaker, const char *text, voices_audio audio, void *user)
{
    speaker->audio = audio;
    speaker->user = user;
    speaker->stopped = 0;
    float seconds = flite_text_to_speech(text, speaker->voice, "none");
    if (speaker->stopped) return 0;
    return seconds < 0 ? -1 : 1;
}

int voices_pronounce(const char *word, char *phones, int capacity)
{
    cst_lexicon *lexicon = cmu_lex_init();
    cst_val *found = lex_lookup(lexicon, word, NULL, NULL);
    int count = 0, length = 0;
    phones[0] = 0;
    for (const cst_val *each = found; each; each = val_cdr(each)) {
        char phone[8];
        int size = 0;
        for (const char *c = val_string(val_car(each)); *c && size < 7; c++)
            if (!isdigit((unsigned char)*c)) phone[size++] = toupper((unsigned char)*c);
        phone[size] = 0;
        // flite's schwa is not in the CMU set.
        const char *name = strcmp(phone, "AX") ? phone : "AH";
        if (length + (int)strlen(name) + 2 > capacity) { count = 0; break; }
        if (count) phones[length++] = ' ';
        strcpy(phones + length, name);
        length += strlen(name);
        count++;
    }
    delete_val(found);
    return count;
}

ptrdiff_t voices_find(const uint8_t *text, size_t length, const uint8_t *bytes, size_t count)
{
    const uint8_t *found = memmem(text, length, bytes, count);
    return found ? found - text : -1;
}
