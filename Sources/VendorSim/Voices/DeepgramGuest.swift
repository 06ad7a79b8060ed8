import Base
import NIOCore

/// One caller of the simulated Deepgram. On the socket's loop only.
final class DeepgramGuest: SocketGuest {
    private var hearing: SimulatedHearing
    private let configuration: SimulatedDeepgram.Configuration
    private let script: VendorScript
    private var random: SeededGenerator
    private var mischief: VendorMischief
    private var flux: FluxTalk?
    private let endpointingMs: Int?
    private let isAudioRight: Bool
    private var line: SocketLine?
    /// Where the next partial is due, milliseconds of audio.
    private var partialAtMs = 0
    /// Words of the utterance that a partial has told.
    private var told = 0
    /// Tells a pause from the next.
    private var pause = 0
    private var isPaused = false
    private var wantsFinalize = false

    init(
        _ hearing: SimulatedHearing, _ configuration: SimulatedDeepgram.Configuration, _ visit: VendorVisit,
        _ asked: SocketAsked, isFlux: Bool
    ) {
        self.hearing = hearing
        self.configuration = configuration
        random = visit.random
        script = visit.script
        flux = isFlux ? FluxTalk(isEager: asked.query[name: "eager_eot_threshold"] != nil) : nil
        endpointingMs = asked.query[name: "endpointing"].flatMap { Int($0) }
        isAudioRight =
            asked.query[name: "encoding"] == "mulaw" && asked.query[name: "sample_rate"] == "8000"
            && visit.trouble != .wrongFormat
        mischief = VendorMischief(visit.trouble)
    }

    func opened(_ line: SocketLine) {
        self.line = line
        mischief.prepare(line)
        if flux != nil { say(#"{"type":"Connected","request_id":"sim","sequence_id":0}"#) }
        if mischief.trouble == .endless { flood(line) }
    }

    private func flood(_ line: SocketLine) {
        for _ in 0..<100 {
            line.send(text: DeepgramText.results("word", words: [], isFinal: false, isSpeechFinal: false))
        }
        line.after(.milliseconds(5)) { self.flood(line) }
    }

    func ended() { line = nil }

    func received(binary: ByteBuffer) {
        guard let line else { return }
        // An empty one ends the stream.
        guard isAudioRight, binary.readableBytes > 0 else {
            return line.close(code: 1008, reason: "DATA-0000")
        }
        for edge in hearing.hear(binary.readableBytesView) {
            switch edge {
            case .began, .wentOn: sounded()
            case .paused where !isPaused: paused(line)
            case .paused: break
            }
        }
        if hearing.isOpen, hearing.positionMs >= partialAtMs { partial(line) }
    }

    func received(text: ByteBuffer) {
        guard let line, let message = JSONText.decode(Array(text.readableBytesView)) else { return }
        script.note(message)
        switch message["type"]?.string {
        case "Finalize": if hearing.isOpen { wantsFinalize = true }
        case "ForceEndTurn": if hearing.isOpen { end(line, trigger: "manual") }
        case "Configure": say(#"{"type":"ConfigureSuccess","request_id":"sim"}"#)
        case "CloseStream":
            if flux == nil { say(DeepgramText.metadata(seconds: Double(hearing.positionMs) / 1000)) }
            line.close(code: 1000)
        case "KeepAlive": break
        default: say(#"{"type":"Error","variant":"SchemaError","description":"unknown","message":""}"#)
        }
    }

    private func say(_ text: String) {
        guard let line else { return }
        if mischief.maySend(on: line, error: DeepgramText.error) { line.send(text: text) }
    }

    private func sounded() {
        pause += isPaused ? 1 : 0
        isPaused = false
        guard flux?.hasGuessed == true else { return }
        flux?.hasGuessed = false
        tellTurn("TurnResumed", hearing.words, confidence: 0.1)
    }

    /// The last sound was one frame ago.
    private func paused(_ line: SocketLine) {
        isPaused = true
        let number = pause
        let gone = Duration.milliseconds(hearing.positionMs - hearing.lastLoudMs)
        let final = configuration.finalDelay.sample(using: &random)
        if flux?.isEager == true {
            let eager = configuration.eagerDelay.sample(using: &random)
            if eager < final {
                line.after(TimeAmount(max(.zero, eager - gone))) { self.guess(number) }
            }
        }
        line.after(TimeAmount(max(.zero, final - gone))) {
            if self.pause == number, self.hearing.isOpen { self.end(line, trigger: "model") }
        }
    }

    private func guess(_ number: Int) {
        guard pause == number, hearing.isOpen, !hearing.words.isEmpty else { return }
        flux?.hasGuessed = true
        tellTurn("EagerEndOfTurn", hearing.words, confidence: 0.55)
    }

    private func partial(_ line: SocketLine) {
        let every = flux == nil ? configuration.partialEvery : configuration.updateEvery
        partialAtMs = hearing.positionMs + Int(every.milliseconds)
        let words = hearing.words
        // A pause brings nothing new after the partial that has the last word.
        guard !words.isEmpty, !isPaused || words.count > told else { return }
        told = words.count
        let delay = configuration.partialDelay.sample(using: &random)
        let number = pause
        guard delay > .zero else { return tellPartial(words) }
        // Never behind the final that has the same words.
        line.after(TimeAmount(delay)) { if self.pause == number { self.tellPartial(words) } }
    }

    private func tellPartial(_ words: DeepgramText.Words) {
        guard flux == nil else {
            defer { flux?.hasStarted = true }
            return tellTurn(flux?.hasStarted == true ? "Update" : "StartOfTurn", words, confidence: 0.2)
        }
        say(
            DeepgramText.results(
                DeepgramText.join(words), words: words, isFinal: false, isSpeechFinal: false))
    }

    /// The utterance is over: its final.
    private func end(_ line: SocketLine, trigger: String) {
        pause += 1
        isPaused = false
        told = 0
        let words = hearing.end()
        let isAsked = wantsFinalize
        wantsFinalize = false
        guard flux == nil else {
            guard !words.isEmpty else { return }
            if flux?.hasStarted != true { tellTurn("StartOfTurn", words, confidence: 0.2) }
            tellTurn("EndOfTurn", words, confidence: 0.9, trigger: trigger)
            flux?.turn += 1
            flux?.hasStarted = false
            flux?.hasGuessed = false
            return
        }
        say(
            DeepgramText.results(
                DeepgramText.join(words), words: words, isFinal: true,
                isSpeechFinal: endpointingMs != nil, isFromFinalize: isAsked))
    }

    private func tellTurn(
        _ event: String, _ words: DeepgramText.Words, confidence: Double, trigger: String? = nil
    ) {
        guard var talk = flux else { return }
        let text = DeepgramText.turn(
            event, words: words, sequence: talk.sequence, turn: talk.turn, confidence: confidence,
            trigger: trigger, endMs: hearing.positionMs)
        talk.sequence += 1
        flux = talk
        say(text)
    }
}

/// Deepgram's messages, written out by hand.
enum DeepgramText {
    typealias Words = [(word: String, startMs: Int, endMs: Int)]

    static let error =
        #"{"type":"Error","sequence_id":9,"code":"INTERNAL_SERVER_ERROR","variant":"Internal","description":"x"}"#

    static func join(_ words: Words) -> String { words.map(\.word).joined(separator: " ") }

    static func results(
        _ text: String, words: Words, isFinal: Bool, isSpeechFinal: Bool, isFromFinalize: Bool = false
    ) -> String {
        let start = words.first?.startMs ?? 0
        let end = words.last?.endMs ?? start
        return
            #"{"type":"Results","channel_index":[0,1],"start":\#(seconds(start)),"duration":\#(seconds(end - start)),"#
            + #""is_final":\#(isFinal),"speech_final":\#(isSpeechFinal),"from_finalize":\#(isFromFinalize),"#
            + #""channel":{"alternatives":[{"transcript":\#(quoted(text)),"confidence":0.98,"words":[\#(list(words, isNova: true))]}]},"#
            + #""metadata":{"request_id":"sim","model_info":{"name":"sim","version":"1","arch":"nova-3"}}}"#
    }

    static func turn(
        _ event: String, words: Words, sequence: Int, turn: Int, confidence: Double, trigger: String?,
        endMs: Int
    ) -> String {
        let trigger = trigger.map { #","trigger":"\#($0)""# } ?? ""
        let start = words.first?.startMs ?? 0
        return
            #"{"type":"TurnInfo","request_id":"sim","sequence_id":\#(sequence),"event":"\#(event)","turn_index":\#(turn),"#
            + #""audio_window_start":\#(seconds(start)),"audio_window_end":\#(seconds(endMs)),"#
            + #""transcript":\#(quoted(join(words))),"words":[\#(list(words, isNova: false))],"#
            + #""end_of_turn_confidence":\#(confidence)\#(trigger),"languages":["en"]}"#
    }

    static func metadata(seconds: Double) -> String {
        #"{"type":"Metadata","request_id":"sim","duration":\#(seconds),"channels":1}"#
    }

    private static func list(_ words: Words, isNova: Bool) -> String {
        words.map { word in
            let shown = isNova ? #","punctuated_word":\#(quoted(word.word))"# : ""
            return
                #"{"word":\#(quoted(word.word))\#(shown),"start":\#(seconds(word.startMs)),"end":\#(seconds(word.endMs)),"confidence":0.99}"#
        }.joined(separator: ",")
    }

    private static func seconds(_ milliseconds: Int) -> String { "\(Double(milliseconds) / 1000)" }

    static func quoted(_ text: String) -> String { JSONText.quoted(text) }
}
