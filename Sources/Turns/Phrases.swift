import Base

/// What is said over somebody: go on, or stop?
///
/// Lists per language, by BCP 47 primary tag; an agent may add its own. Compared as lower-case words without punctuation,
/// whole words only. A language without a list has the hums, which are much the same everywhere.
package struct Phrases: Hashable, Sendable {
    /// More words than this are talk, whatever they are.
    package static let backchannelWordsMax = 4

    private let acknowledgements: [[String]]
    private let interruptions: [[String]]

    /// `language`: `en`, `en-US`. `acknowledging` and `interrupting` are added to the language's own.
    package init(language: String = "en", acknowledging: [String] = [], interrupting: [String] = []) {
        let own = Self.lists[String(language.prefix { $0 != "-" && $0 != "_" }).lowercased()]
        acknowledgements = ((own?.acknowledgements ?? []) + acknowledging).map(Words.split)
        interruptions = ((own?.interruptions ?? []) + interrupting).map(Words.split)
    }

    /// True for `text` made of nothing but sounds that say "go on"; false for nothing at all.
    ///
    /// `fillsSlot`: it is an answer to what was asked, so an acknowledgement is not one here; a hum still is.
    package func isBackchannel(_ text: String, fillsSlot: Bool) -> Bool {
        let words = Words.split(text)
        return !words.isEmpty && unexplained(words, fillsSlot: fillsSlot)?.isEmpty == true
    }

    /// True for words that end in the midst of one: "I" may become "I see".
    package func mayBecomeBackchannel(_ text: String, fillsSlot: Bool) -> Bool {
        guard !fillsSlot, let rest = unexplained(Words.split(text), fillsSlot: false), !rest.isEmpty else {
            return false
        }
        return acknowledgements.contains { $0.count > rest.count && $0.starts(with: rest) }
    }

    /// What follows the sounds that say "go on"; nil when there are too many words for that.
    private func unexplained(_ words: [String], fillsSlot: Bool) -> ArraySlice<String>? {
        guard words.count <= Self.backchannelWordsMax else { return nil }
        var rest = words[...]
        while let first = rest.first {
            if Self.hums.contains(first) {
                rest.removeFirst()
            } else if !fillsSlot, let phrase = acknowledgements.first(where: { rest.starts(with: $0) }) {
                rest.removeFirst(phrase.count)
            } else {
                return rest
            }
        }
        return rest
    }

    /// True when `text` begins or ends with a phrase that takes the floor whatever the settings say.
    package func interrupts(_ text: String) -> Bool {
        let words = Words.split(text)
        return interruptions.contains {
            !$0.isEmpty && (words.starts(with: $0) || words.suffix($0.count) == $0[...])
        }
    }

    private static let hums: Set<String> = [
        "mm", "mmm", "mhm", "mm-hm", "mmhm", "uh-huh", "hm", "hmm", "ah", "oh", "um", "uh", "er", "ha", "huh",
        "aha", "mhmm", "eh",
    ]

    private static let lists: [String: (acknowledgements: [String], interruptions: [String])] = [
        "en": (
            [
                "yeah", "yes", "yep", "yup", "ok", "okay", "right", "sure", "alright", "all right", "i see",
                "got it", "good", "great", "nice", "cool", "fine", "thanks", "thank you", "uh huh", "mm hm",
                "mm hmm", "of course", "exactly", "true", "go on",
            ],
            [
                "stop", "wait", "wait a second", "wait a minute", "hold on", "hang on", "excuse me", "no no",
                "one moment", "just a moment", "sorry but", "actually", "no wait",
            ]
        ),
        "es": (
            [
                "sí", "si", "vale", "claro", "bien", "bueno", "ya", "de acuerdo", "entiendo", "perfecto",
                "gracias",
            ],
            ["para", "espera", "espere", "un momento", "perdón", "perdona", "disculpe", "no no", "oiga"]
        ),
        "de": (
            [
                "ja", "genau", "okay", "ok", "gut", "klar", "stimmt", "richtig", "verstehe", "alles klar",
                "danke",
            ],
            [
                "stopp", "stop", "halt", "moment", "einen moment", "warten sie", "warte", "entschuldigung",
                "nein nein",
            ]
        ),
        "fr": (
            [
                "oui", "ouais", "d'accord", "ok", "bien", "très bien", "voilà", "je vois", "merci",
                "exactement",
            ],
            ["stop", "attendez", "attends", "un moment", "une seconde", "pardon", "excusez-moi", "non non"]
        ),
        "it": (
            ["sì", "si", "certo", "va bene", "ok", "bene", "capisco", "giusto", "grazie", "esatto"],
            ["ferma", "aspetta", "aspetti", "un momento", "un attimo", "scusi", "scusa", "no no"]
        ),
        "pt": (
            ["sim", "tá", "está bem", "ok", "certo", "claro", "entendi", "isso", "obrigado", "obrigada"],
            ["para", "espera", "espere", "um momento", "desculpe", "com licença", "não não"]
        ),
        "nl": (
            ["ja", "oké", "ok", "goed", "prima", "klopt", "precies", "begrijp ik", "bedankt"],
            ["stop", "wacht", "een moment", "momentje", "sorry maar", "nee nee", "pardon"]
        ),
    ]
}
