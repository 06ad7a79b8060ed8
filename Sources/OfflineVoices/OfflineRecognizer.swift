import Foundation
import Synchronization

/// What a recognition stream tells.
package enum OfflineRecognition: Hashable, Sendable {
    /// The words so far of the current utterance; only when they changed.
    case partial(String)
    /// The utterance's words; empty when nothing of the grammar was said.
    case final(String)
    /// This utterance is lost; the next one may work.
    case failed(String)
}

/// Milliseconds from the first sample after `begin`.
package struct OfflineWord: Hashable, Sendable {
    package var text: String
    package var startMs: Int
    package var endMs: Int
}

/// PocketSphinx: recognition under a grammar, without a network, in US English; a stand-in for a real recogniser.
///
/// A decoder is leased for one utterance. Streams take turns on the threads, a slice of audio each.
package final class OfflineRecognizer: Sendable {
    /// Where PocketSphinx's US English model lies.
    package struct Model: Sendable {
        package var acoustic: String
        package var dictionary: String
    }

    /// The Debian package that brings the model.
    package static let package = "pocketsphinx-en-us"

    /// nil when the model is not installed.
    package static let model: Model? = {
        let roots = ["/usr/share/pocketsphinx/model/en-us", "/usr/share/pocketsphinx"]
        return roots.lazy.map { Model(acoustic: $0 + "/en-us", dictionary: $0 + "/cmudict-en-us.dict") }.first
        {
            FileManager.default.fileExists(atPath: $0.acoustic + "/mdef")
                && FileManager.default.fileExists(atPath: $0.dictionary)
        }
    }()

    /// Why recognition can't work here, nil when it can.
    package static var problem: String? {
        model == nil ? "the US English model of PocketSphinx is missing: apt-get install \(package)" : nil
    }

    /// Utterances in the works at once; further ones wait in order, their audio kept. About 4 MB each.
    package static let decodersMax = 64

    let pool: ThreadPool
    let decoders: DecoderPool

    package init(threads: Int = ProcessInfo.processInfo.activeProcessorCount, decoders: Int = decodersMax) {
        pool = ThreadPool(name: "sphinx", limit: threads)
        self.decoders = DecoderPool(limit: decoders)
    }

    /// Loads `count` decoders ahead.
    package func warm(_ count: Int = 2, grammars: [String] = []) {
        pool.submit { [decoders] in decoders.warm(count, grammars: grammars) }
    }

    /// Events come from the recogniser's threads, in order, one at a time for each stream. `onWords` comes just before
    /// the final it belongs to.
    package func open(
        onWords: (@Sendable ([OfflineWord]) -> Void)? = nil,
        onEvent: @escaping @Sendable (OfflineRecognition) -> Void
    ) -> OfflineRecognitionStream {
        OfflineRecognitionStream(recognizer: self, onWords: onWords, onEvent: onEvent)
    }
}

/// Decoders, made when needed up to a limit and used again; a stream that finds none waits in order.
final class DecoderPool: Sendable {
    private struct State {
        var free: [Decoder] = []
        var made = 0
        var waiting: [@Sendable () -> Void] = []
    }
    private let limit: Int
    private let state = Mutex(State())

    init(limit: Int) { self.limit = max(1, limit) }

    /// A decoder, best one that knows `grammar`; nil when all are out: `retry` is called when one is back.
    func lease(for grammar: String, retry: @escaping @Sendable () -> Void) throws -> Decoder? {
        enum Found { case decoder(Decoder), room, none }
        let found = state.withLock { state -> Found in
            if let index = state.free.lastIndex(where: { $0.knows(grammar) }) ?? state.free.indices.last {
                return .decoder(state.free.remove(at: index))
            }
            if state.made < limit {
                state.made += 1
                return .room
            }
            state.waiting.append(retry)
            return .none
        }
        switch found {
        case .decoder(let decoder): return decoder
        case .none: return nil
        case .room: return try make()
        }
    }

    func giveBack(_ decoder: Decoder) {
        // All are woken, in order: the first may have been closed meanwhile.
        let waiting = state.withLock { state in
            state.free.append(decoder)
            defer { state.waiting = [] }
            return state.waiting
        }
        waiting.forEach { $0() }
    }

    func warm(_ count: Int, grammars: [String]) {
        var made: [Decoder] = []
        for _ in 0..<count {
            let hasRoom = state.withLock { state in
                guard state.made < limit else { return false }
                state.made += 1
                return true
            }
            guard hasRoom, let decoder = try? make() else { break }
            for grammar in grammars {
                guard (try? decoder.begin(grammar)) != nil else { continue }
                decoder.end()
            }
            made.append(decoder)
        }
        made.forEach(giveBack)
    }

    private func make() throws -> Decoder {
        do {
            guard let model = OfflineRecognizer.model, let dictionary = PronouncingDictionary.installed else {
                throw Decoder.Failure(reason: OfflineRecognizer.problem ?? "the dictionary can't be read")
            }
            return try Decoder(model: model, dictionary: dictionary)
        } catch {
            state.withLock { $0.made -= 1 }
            throw error
        }
    }
}
