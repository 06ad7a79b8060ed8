/// What the caller and the carrier saw of one call. Times are milliseconds since the call was answered.
package struct CallObservation: Sendable {
    package struct Line: Hashable, Sendable {
        package var startMs: Int
        package var endMs: Int
        /// What was said, or what the caller understood; empty when nothing was recognised or nobody
        /// listened.
        package var text: String
    }

    package struct Silence: Hashable, Sendable {
        package var startMs: Int
        package var lengthMs: Int
    }

    package struct Stream: Hashable, Sendable {
        package var url: String
        package var parameters: [String: String]
        /// When the carrier said `start`; nil when the socket was never opened.
        package var startedMs: Int?
        package var endedMs: Int?
        /// From `start` to the first frame with sound in it.
        package var firstSoundMs: Int?
        /// HTTP status of a refused upgrade.
        package var refusedStatus: Int?
    }

    package var sid: String
    package var from: String
    package var to: String
    package var isInbound: Bool
    package var status: CarrierStatus = .queued
    /// Why the call ended, for people: `caller`, `agent`, `rest`, `time limit`, `webhook failed: 500`.
    package var endedBy = ""
    package var durationMs = 0
    package var streams: [Stream] = []
    /// Every webhook and callback the carrier sent, in order.
    package var webhooks: [SentWebhook] = []

    /// 20 ms frames the caller heard from the far end.
    package var framesPlayed = 0
    /// Holes inside speech.
    package var gaps: [Silence] = []
    package var marksEchoed = 0
    package var clears = 0
    /// Messages on the media socket that no carrier would accept.
    package var malformed: [String] = []
    /// The carrier's own clock: worst lateness of its 20 ms tick. Judge gaps only when this is small.
    package var clockLateMaxMs = 0

    /// What the agent said, as the caller heard it.
    package var heard: [Line] = []
    package var said: [Line] = []
    package var pressed = ""
    /// µ-law, 8 kHz, both from the moment of answer; empty when the carrier keeps no audio.
    package var callerAudio: [UInt8] = []
    package var agentAudio: [UInt8] = []

    /// 20 ms slots of silence in holes longer than one slot: frames heard more than 20 ms late.
    package var lateFrames: Int { gaps.filter { $0.lengthMs > 20 }.reduce(0) { $0 + $1.lengthMs / 20 } }
    package var firstSoundMs: Int? { streams.first { $0.firstSoundMs != nil }?.firstSoundMs }

    /// Left channel caller, right channel agent.
    package var waveFile: [UInt8] { WaveFile.stereo(caller: callerAudio, agent: agentAudio) }

    /// Stretches in which neither side made a sound, at least `atLeast` milliseconds long.
    package func silences(atLeast: Int) -> [Silence] {
        var result: [Silence] = []
        var last = 0
        for line in (heard + said).sorted(by: { $0.startMs < $1.startMs }) {
            if line.startMs - last >= atLeast {
                result.append(Silence(startMs: last, lengthMs: line.startMs - last))
            }
            last = max(last, line.endMs)
        }
        if durationMs - last >= atLeast { result.append(Silence(startMs: last, lengthMs: durationMs - last)) }
        return result
    }

    /// From the end of each caller utterance to the next sound of the agent, in order.
    package var responseTimesMs: [Int] {
        said.compactMap { line in heard.first { $0.startMs >= line.endMs }.map { $0.startMs - line.endMs } }
    }
}

/// A call's status in the carrier's words.
package enum CarrierStatus: String, Hashable, Sendable {
    case queued, initiated, ringing, completed, busy, failed, canceled
    case inProgress = "in-progress"
    case noAnswer = "no-answer"

    package var isOver: Bool {
        switch self {
        case .completed, .busy, .failed, .canceled, .noAnswer: true
        case .queued, .initiated, .ringing, .inProgress: false
        }
    }
}

/// A signed request the carrier made, as sent: enough to send it again.
package struct SentWebhook: Sendable {
    package var url: String
    package var parameters: [(String, String)]
    package var signature: String
    /// HTTP status of the answer; nil when there was none.
    package var status: Int?

    package init(url: String, parameters: [(String, String)], signature: String, status: Int? = nil) {
        self.url = url
        self.parameters = parameters
        self.signature = signature
        self.status = status
    }
}

/// One thing that happened in a call, for somebody who watches it live.
package enum CallMoment: Hashable, Sendable {
    case status(CarrierStatus)
    case streamStarted, streamEnded
    case agentSpeaks
    case agentHeard(String)
    case callerSays(String)
    case callerPresses(String)
    case bargeIn
    case agentCutOff
}

package typealias CallWatcher = @Sendable (_ sid: String, _ ms: Int, _ moment: CallMoment) -> Void
