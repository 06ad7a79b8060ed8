import ArgumentParser
import Audio
import Base
import OfflineVoices
import Speech

/// Recognises the utterances of a recording with the offline recogniser, by the grammar of what was asked.
struct Listener {
    /// Audio before the onset that belongs to an utterance, and the pause that ends one: as in a call.
    private static let prerollMs = 300
    private static let bridgeMs = 200

    private let recognizer = OfflineRecognizer()

    /// With times in the recording; none after an open question, which has no grammar worth believing. Words of an utterance are
    /// known at its end, so that is when they end here.
    ///
    /// - Throws: `ValidationError` when the recogniser is not installed.
    func words(
        of samples: [Int16], _ cues: [Hearing.Cue], expecting expectation: Expectation
    ) async throws -> [Word] {
        guard expectation != .open else { return [] }
        if let problem = OfflineRecognizer.problem { throw ValidationError(problem) }
        let grammar = Grammar(expectation, phrases: [], dictionary: .installed).jsgf
        var words: [Word] = []
        for utterance in utterances(cues, totalMs: samples.count / 8) {
            let start = max(0, utterance.lowerBound - Self.prerollMs)
            let end = min(samples.count / 8, utterance.upperBound + Self.bridgeMs)
            let text = try await recognise(Array(samples[start * 8..<max(start, end) * 8]), grammar)
            words += Words.split(text).map {
                Word(text: $0, startMs: utterance.lowerBound, endMs: utterance.upperBound)
            }
        }
        return words
    }

    private func utterances(_ cues: [Hearing.Cue], totalMs: Int) -> [ClosedRange<Int>] {
        var found: [ClosedRange<Int>] = []
        var start: Int?
        for cue in cues {
            guard case .speech(let event, _) = cue.kind else { continue }
            switch event {
            case .speechStarted(let agoMs): start = cue.ms - agoMs
            case .speechEnded:
                guard let begun = start else { continue }
                if let last = found.last, begun - last.upperBound < Self.bridgeMs {
                    found[found.count - 1] = last.lowerBound...cue.ms
                } else {
                    found.append(begun...max(begun, cue.ms))
                }
                start = nil
            case .stirred, .settled, .speechFading: break
            }
        }
        if let start, start < totalMs { found.append(start...totalMs) }
        return found
    }

    private func recognise(_ samples: [Int16], _ grammar: String) async throws -> String {
        let (events, teller) = AsyncStream.makeStream(of: OfflineRecognition.self)
        let stream = recognizer.open { teller.yield($0) }
        defer { stream.close() }
        stream.setGrammar(grammar)
        stream.begin()
        stream.send(samples)
        stream.end()
        for await event in events {
            switch event {
            case .partial: continue
            case .final(let text): return text
            case .failed(let cause): throw ValidationError("the recogniser failed: \(cause)")
            }
        }
        return ""
    }
}
