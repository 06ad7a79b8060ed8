import Base
import Logging
import OfflineVoices
import Synchronization

/// What personas (and the carrier's `<Say>`) will say, spoken ahead of time and kept as µ-law.
///
/// A caller who knows its lines must not be late because a synthesiser was busy.
final class PersonaVoices: Sendable {
    struct Silent: Error, Sendable {
        var sentence: String
    }

    /// Sentences kept; beyond it the store is emptied and filled anew.
    static let keptMax = 2000

    private struct Key: Hashable, Sendable {
        var voice: String
        var text: String
    }
    /// One store for the process: no voice makes the same bytes twice, and simulated recognisers go by bytes.
    private static let kept = Mutex<[Key: [UInt8]]>([:])

    func prepare(_ persona: Persona) async throws -> [String: [UInt8]] {
        var result: [String: [UInt8]] = [:]
        for sentence in Set(persona.sentences) {
            result[sentence] = try await speak(sentence, voice: persona.voice)
        }
        return result
    }

    /// µ-law, 8 kHz.
    /// - Throws: `Silent` when the voice gave nothing.
    func speak(_ text: String, voice: String) async throws -> [UInt8] {
        let key = Key(voice: voice, text: text)
        if let audio = Self.kept.withLock({ $0[key] }) { return audio }
        let audio = await Self.synthesize(text, voice: voice)
        guard !audio.isEmpty else { throw Silent(sentence: text) }
        Self.kept.withLock {
            if $0.count >= Self.keptMax { $0 = [:] }
            $0[key] = audio
        }
        return audio
    }

    private struct Gathered: Sendable {
        var samples: [Int16] = []
        var sampleRate = MuLaw.sampleRateHz
    }

    private static func synthesize(_ text: String, voice: String) async -> [UInt8] {
        let gathered = Gathering()
        let isWhole = await withCheckedContinuation { done in
            _ = OfflineSynthesizer.speak(
                text, voice: voice,
                onAudio: { samples, sampleRate in gathered.add(samples, sampleRate) },
                onEnd: { done.resume(returning: $0) })
        }
        guard isWhole else { return [] }
        let all = gathered.value
        return MuLaw.encode(Resample.toTelephone(all.samples, sampleRate: all.sampleRate))
    }

    private final class Gathering: Sendable {
        private let all = Mutex(Gathered())
        func add(_ samples: [Int16], _ rate: Int) {
            all.withLock {
                $0.samples += samples
                $0.sampleRate = rate
            }
        }
        var value: Gathered { all.withLock { $0 } }
    }
}
