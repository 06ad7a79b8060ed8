/// A piece of speech whose words a simulated recogniser knows, as the line carries it.
package struct KnownSpeech: Sendable {
    package var words: [String]
    /// µ-law, 8 kHz, as it is cut into frames of 20 ms from its start.
    package var audio: [UInt8]
    /// Where each word ends, milliseconds from the start.
    package var endsMs: [Int]

    /// `endsMs` nil: words share the time by their letters.
    package init(_ text: String, audio: [UInt8], endsMs: [Int]? = nil) {
        words = text.split(separator: " ").map(String.init)
        self.audio = audio
        let total = max(1, words.reduce(0) { $0 + $1.count })
        var letters = 0
        let length = audio.count / 8
        self.endsMs =
            endsMs
            ?? words.map { word in
                letters += word.count
                return length * letters / total
            }
    }

    /// All that a persona can say, as its callers will send it.
    /// - Throws: when its voice gives nothing.
    package static func of(_ persona: Persona) async throws -> [KnownSpeech] {
        try await PersonaVoices().prepare(persona).map { KnownSpeech($0.key, audio: Mouth.trimmed($0.value)) }
    }

    /// What an offline voice makes of this text, as a caller would send it.
    package static func spoken(_ text: String, voice: String) async throws -> KnownSpeech {
        KnownSpeech(text, audio: Mouth.trimmed(try await PersonaVoices().speak(text, voice: voice)))
    }
}

/// Finds known speech by its frames: a caller's µ-law passes through unchanged, so equal bytes are the same speech.
struct KnownFrames: Sendable {
    struct Place: Hashable, Sendable {
        var speech: Int
        /// Frames of 20 ms from its start.
        var frame: Int
    }

    private(set) var speeches: [KnownSpeech] = []
    private var places: [[UInt8]: Place] = [:]

    mutating func learn(_ more: [KnownSpeech]) {
        for speech in more {
            speeches.append(speech)
            for number in 0..<speech.audio.count / MuLaw.frameBytes {
                let frame = Array(speech.audio[number * MuLaw.frameBytes..<(number + 1) * MuLaw.frameBytes])
                guard MuLaw.loudness(frame[...]) > SimulatedHearing.loudnessMin, places[frame] == nil else {
                    continue
                }
                places[frame] = Place(speech: speeches.count - 1, frame: number)
            }
        }
    }

    func find(_ frame: [UInt8]) -> Place? { places[frame] }
}
