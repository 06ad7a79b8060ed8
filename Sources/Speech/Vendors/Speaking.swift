import Base
import NIOCore

/// One text being spoken. On its loop only.
final class Speaking: SynthesisStream, @unchecked Sendable {
    /// Speech is never longer: so much, and so much more a character, µ-law bytes.
    private static let bytesMax = 10 * 8_000
    private static let bytesMaxPerCharacter = 8_000
    private static let bytesPerMs = 8
    /// Of audio, so much is looked at for another format: a second.
    private static let examinedBytesMax = 8_000

    let text: String
    let voice: String
    private let source: String
    private let sockets: SpeakingSockets
    private let events: @Sendable (SynthesisEvent) -> Void
    private var bytes = 0
    /// A word whose last letter may still come.
    private var open: Word?
    private var heardAt: NIODeadline?
    private var tries = 0
    private var isOnUsedSocket = false
    private var isOver = false

    init(
        _ text: String, voice: String, source: String, sockets: SpeakingSockets,
        events: @escaping @Sendable (SynthesisEvent) -> Void
    ) {
        self.text = text
        self.voice = voice
        self.source = source
        self.sockets = sockets
        self.events = events
    }

    func cancel() {
        guard !isOver else { return }
        isOver = true
        sockets.cancel(self)
    }

    /// Vendors bill the text they were given, spoken to its end or not.
    var usageSoFar: [Usage] { tries > 0 ? [usage] : [] }

    private var usage: Usage {
        Usage(component: .tts, source: source, unit: .characters, quantity: Int64(text.count))
    }

    func started(at now: NIODeadline, isOnUsedSocket: Bool) {
        tries += 1
        heardAt = now
        self.isOnUsedSocket = isOnUsedSocket
    }

    /// Nothing of it has sounded, and the socket it was on was no new one.
    var mayStartAgain: Bool { !isOver && bytes == 0 && tries == 1 && isOnUsedSocket }

    func isLate(_ limits: SpeakingSockets.Limits, at now: NIODeadline) -> Bool {
        guard let heardAt else { return false }
        return now - heardAt > TimeAmount(bytes == 0 ? limits.firstAudioMax : limits.stallMax)
    }

    func failSoon(_ fault: Fault) { sockets.loop.execute { self.fail(fault) } }

    func fail(_ fault: Fault) {
        guard !isOver else { return }
        isOver = true
        events(.failed(fault))
    }

    /// True: it is to be stopped at the vendor.
    func take(_ message: SpeakingMessage, at now: NIODeadline) -> Bool {
        guard !isOver else { return true }
        heardAt = now
        if let fault = message.fault {
            fail(fault)
            return false
        }
        let words = message.words + spelled(message.letters, isLast: message.isDone)
        if !words.isEmpty { events(.words(words)) }
        if let audio = message.audio, !take(audio) { return true }
        guard message.isDone, !isOver else { return isOver }
        isOver = true
        let cut = VendorFaults(stage: "tts").after(.zero, "empty", "spoken, and no sound of it")
        events(bytes == 0 && hasSound ? .failed(cut) : .finished(usage))
        return false
    }

    /// A text of letters gives some audio; marks alone may give none.
    private var hasSound: Bool { text.contains { $0.isLetter || $0.isNumber } }

    private func take(_ audio: ByteBuffer) -> Bool {
        let faults = VendorFaults(stage: "tts")
        if bytes == 0, Self.isContainer(audio) {
            fail(faults.never("wrong_format", "a file, and not µ-law"))
            return false
        }
        if bytes < Self.examinedBytesMax, audio.readableBytesView.isSixteenBit {
            fail(faults.never("wrong_format", "samples of 16 bits, and not µ-law"))
            return false
        }
        bytes += audio.readableBytes
        guard bytes <= Self.bytesMax + text.count * Self.bytesMaxPerCharacter else {
            fail(faults.endless)
            return false
        }
        events(.audio(audio))
        return true
    }

    /// The words that these letters end, their times from the first audio on.
    private func spelled(_ letters: [SpeakingMessage.Letter], isLast: Bool) -> [Word] {
        let offset = bytes / Self.bytesPerMs
        var words: [Word] = []
        for letter in letters {
            guard letter.text.contains(where: { !$0.isWhitespace }) else {
                if let open { words.append(open) }
                open = nil
                continue
            }
            let start = open?.startMs ?? letter.startMs + offset
            open = Word(text: (open?.text ?? "") + letter.text, startMs: start, endMs: letter.endMs + offset)
        }
        if isLast, let open { words.append(open) }
        return words
    }

    /// The beginnings of WAVE, Ogg and MP3 files.
    private static func isContainer(_ audio: ByteBuffer) -> Bool {
        let magics: [[UInt8]] = [Array("RIFF".utf8), Array("OggS".utf8), Array("ID3".utf8), [0xFF, 0xFB]]
        return magics.contains { audio.readableBytesView.starts(with: $0) }
    }
}

extension Collection<UInt8> {
    /// Fewer bytes say nothing of their format.
    private static var examinedMin: Int { 160 }
    /// One byte of two changes by so much from sample to sample, of 64 that bytes of no order do, and the other by a third
    /// of it at most.
    private static var restlessMin: Int { 40 }
    private static var calmShare: Int { 3 }

    /// Samples of 16 bits: their high bytes go on as the sound does, and the low ones are anything. In µ-law every other
    /// byte is like those between.
    var isSixteenBit: Bool {
        guard count >= Self.examinedMin else { return false }
        var changes = [0, 0]
        for (index, (before, now)) in zip(self, dropFirst(2)).enumerated() {
            changes[index % 2] += Int(Int8(bitPattern: now &- before).magnitude)
        }
        let (calm, restless) = (changes.min() ?? 0, changes.max() ?? 0)
        return restless >= Self.restlessMin * count / 2 && restless >= Self.calmShare * calm
    }
}
