import Synchronization

/// One speaker's audio on its way through a recogniser. Methods return at once and may be called from any thread;
/// what one thread calls is done in that order.
package final class OfflineRecognitionStream: Sendable {
    /// Audio that may wait for a thread or a decoder: 30 s at 8 kHz. Beyond it the utterance fails.
    package static let waitingSamplesMax = 30 * 8_000
    /// Audio one stream may use up before it lets the others have the thread: 400 ms.
    private static let sliceSamples = 400 * 8

    private enum Step: Sendable {
        case grammar(@Sendable () -> String), begin, audio([Int16]), end, close
    }

    private struct Mailbox {
        var steps: [Step] = []
        var waitingSamples = 0
        /// A thread works on the stream or will, or a decoder is waited for.
        var isScheduled = false
        var isClosed = false
    }

    /// Only touched by the thread that works on the stream; `mailbox.isScheduled` hands it on.
    private struct Work {
        var grammar: String?
        var decoder: Decoder?
        var partial = ""
    }

    private let recognizer: OfflineRecognizer
    private let onWords: (@Sendable ([OfflineWord]) -> Void)?
    private let onEvent: @Sendable (OfflineRecognition) -> Void
    private let mailbox = Mutex(Mailbox())
    private let work = Mutex(Work())

    init(
        recognizer: OfflineRecognizer, onWords: (@Sendable ([OfflineWord]) -> Void)?,
        onEvent: @escaping @Sendable (OfflineRecognition) -> Void
    ) {
        self.recognizer = recognizer
        self.onWords = onWords
        self.onEvent = onEvent
    }

    /// JSGF text; holds from the next `begin` on.
    package func setGrammar(_ jsgf: String) { post(.grammar { jsgf }) }
    /// As above; `make` is called on the recogniser's thread, for grammars that take time to write.
    package func setGrammar(_ make: @escaping @Sendable () -> String) { post(.grammar(make)) }
    /// An utterance begins. Ends the one before, if it goes on.
    package func begin() { post(.begin) }
    /// 8 kHz samples; dropped outside of an utterance.
    package func send(_ pcm8k: [Int16]) { post(.audio(pcm8k)) }
    /// The utterance is over: a final is due.
    package func end() { post(.end) }
    /// No event follows, but for one that is being delivered at this moment.
    package func close() { post(.close) }

    private func post(_ step: Step) {
        enum Outcome { case schedule, nothing, overrun }
        let outcome = mailbox.withLock { mailbox -> Outcome in
            guard !mailbox.isClosed else { return .nothing }
            if case .audio(let samples) = step {
                guard mailbox.waitingSamples + samples.count <= Self.waitingSamplesMax else {
                    return .overrun
                }
                mailbox.waitingSamples += samples.count
            }
            if case .close = step {
                mailbox.isClosed = true
                mailbox.steps.removeAll()
            }
            mailbox.steps.append(step)
            defer { mailbox.isScheduled = true }
            return mailbox.isScheduled ? .nothing : .schedule
        }
        // On overrun the samples are lost and the words with them; the final still comes.
        if outcome == .schedule { schedule() }
    }

    private func schedule() { recognizer.pool.submit { self.run() } }

    private func run() {
        var budget = Self.sliceSamples
        while budget > 0 {
            guard let step = take() else { return }
            if case .audio(let samples) = step { budget -= samples.count }
            guard work.withLock({ perform(step, &$0) }) else { return }
        }
        schedule()
    }

    /// The next step, or nil with the stream marked idle.
    private func take() -> Step? {
        mailbox.withLock { mailbox in
            guard !mailbox.steps.isEmpty else {
                mailbox.isScheduled = false
                return nil
            }
            let step = mailbox.steps.removeFirst()
            if case .audio(let samples) = step { mailbox.waitingSamples -= samples.count }
            return step
        }
    }

    /// False when the stream has to wait for a decoder; `schedule` is called when there is one.
    private func perform(_ step: Step, _ work: inout Work) -> Bool {
        switch step {
        case .grammar(let make): work.grammar = make()
        case .begin: return begin(&work)
        case .audio(let samples): hear(samples, &work)
        case .end: finish(&work)
        case .close: release(&work)
        }
        return true
    }

    private func begin(_ work: inout Work) -> Bool {
        release(&work)
        guard let grammar = work.grammar else {
            onEvent(.failed("no grammar is set"))
            return true
        }
        do {
            guard let decoder = try recognizer.decoders.lease(for: grammar, retry: { self.schedule() }) else {
                mailbox.withLock { mailbox in
                    if !mailbox.isClosed { mailbox.steps.insert(.begin, at: 0) }
                }
                return false
            }
            work.decoder = decoder
            work.partial = ""
            try decoder.begin(grammar)
        } catch {
            release(&work)
            onEvent(.failed((error as? Decoder.Failure)?.reason ?? "\(error)"))
        }
        return true
    }

    private func hear(_ samples: [Int16], _ work: inout Work) {
        guard let decoder = work.decoder else { return }
        decoder.hear(samples)
        let words = decoder.hypothesis
        guard words != work.partial else { return }
        work.partial = words
        onEvent(.partial(words))
    }

    private func finish(_ work: inout Work) {
        guard let decoder = work.decoder else { return }
        decoder.end()
        work.decoder = nil
        let words = decoder.result
        let timed = onWords == nil || words.isEmpty ? [] : decoder.timedWords
        recognizer.decoders.giveBack(decoder)
        onWords?(timed)
        onEvent(.final(words))
    }

    /// Ends an utterance nobody waits for.
    private func release(_ work: inout Work) {
        guard let decoder = work.decoder else { return }
        work.decoder = nil
        decoder.end()
        recognizer.decoders.giveBack(decoder)
    }
}
