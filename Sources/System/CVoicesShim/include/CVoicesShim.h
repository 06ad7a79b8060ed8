#ifndef C_VOICES_SHIM_H
#define C_VOICES_SHIM_H

#include <stddef.h>
#include <stdint.h>

// What flite and PocketSphinx can only be asked from C: macros, variadic functions, callbacks inside structs.
// No function here is thread-safe towards the same handle; different handles may be used at the same time.

// ---- Speech: flite ----

typedef struct voices_speaker voices_speaker;

/// Gets `count` samples at `rate` Hz. A result other than 0 stops the synthesis.
typedef int (*voices_audio)(void *user, const int16_t *samples, int count, int rate);

/// A new instance of `name` (slt, rms, awb, kal); NULL for another name. Call from one thread at a time.
voices_speaker *voices_speaker_open(const char *name);

/// Speaks `text` (printable ASCII), calling back in chunks. 1: spoken to the end, 0: stopped, -1: failed.
int voices_speaker_speak(voices_speaker *speaker, const char *text, voices_audio audio, void *user);

/// Letter to sound: writes CMU phones ("HH AH L OW") of a lower-case word. Their number, or 0 when there are none.
int voices_pronounce(const char *word, char *phones, int capacity);

/// Where `bytes` first occur in `text`, or -1.
ptrdiff_t voices_find(const uint8_t *text, size_t length, const uint8_t *bytes, size_t count);

// ---- Recognition: PocketSphinx ----

typedef struct voices_decoder voices_decoder;

/// Loads the acoustic model in directory `model` with the words of the file `dictionary`. NULL when it can't.
voices_decoder *voices_decoder_open(const char *model, const char *dictionary);
void voices_decoder_close(voices_decoder *decoder);

/// 0 when added. Not between begin and end.
int voices_decoder_add_word(voices_decoder *decoder, const char *word, const char *phones);
/// 0 when compiled. All words must be known.
int voices_decoder_add_grammar(voices_decoder *decoder, const char *name, const char *jsgf);
void voices_decoder_drop_grammar(voices_decoder *decoder, const char *name);

/// Begins an utterance under a grammar added before. 0 when begun.
int voices_decoder_begin(voices_decoder *decoder, const char *grammar);
/// 8 kHz samples; 0 when taken.
int voices_decoder_hear(voices_decoder *decoder, const int16_t *samples, int count);
/// 0 when ended; then hypothesis and words tell the final result.
int voices_decoder_end(voices_decoder *decoder);

/// The best words so far, or NULL. After the end: NULL when nothing in the grammar fits to its end.
const char *voices_decoder_hypothesis(voices_decoder *decoder);

/// How well the words fit the sound: the mean acoustic score of their frames, 0 at best, PocketSphinx's log scale.
int voices_decoder_fit(voices_decoder *decoder);

typedef void (*voices_word)(void *user, const char *word, int start_frame, int end_frame);
/// Each word of the hypothesis with its first and last frame (10 ms each), fillers included.
void voices_decoder_words(voices_decoder *decoder, voices_word word, void *user);

#endif
