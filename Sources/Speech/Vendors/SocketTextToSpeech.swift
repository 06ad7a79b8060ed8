import Base
package import NIOCore
import Synchronization
import WebSockets

/// A synthesiser behind a socket that carries several texts at once; which vendor, its dialect says.
package struct SocketTextToSpeech: TextToSpeech {
    private let dialect: any SpeakingDialect
    private let perLoop: PerLoop

    init(
        _ dialect: any SpeakingDialect, reach: WebSocketReach,
        limits: SpeakingSockets.Limits = SpeakingSockets.Limits()
    ) {
        self.dialect = dialect
        perLoop = PerLoop { SpeakingSockets(dialect, reach: reach, limits: limits, on: $0) }
    }

    package func warm(voice: String, on loop: any EventLoop) {
        let sockets = perLoop.sockets(on: loop)
        loop.execute { sockets.warm(voice: voice) }
    }

    package func speak(
        _ text: String, voice: String, on loop: any EventLoop,
        events: @escaping @Sendable (SynthesisEvent) -> Void
    ) -> any SynthesisStream {
        let sockets = perLoop.sockets(on: loop)
        let speaking = Speaking(text, voice: voice, source: dialect.source, sockets: sockets, events: events)
        sockets.speak(speaking)
        return speaking
    }

    /// The sockets of each loop that has spoken; loops live as long as the process.
    private final class PerLoop: Sendable {
        private let make: @Sendable (any EventLoop) -> SpeakingSockets
        private let known = Mutex<[ObjectIdentifier: SpeakingSockets]>([:])

        init(make: @escaping @Sendable (any EventLoop) -> SpeakingSockets) { self.make = make }

        func sockets(on loop: any EventLoop) -> SpeakingSockets {
            known.withLock { known in
                if let sockets = known[ObjectIdentifier(loop)] { return sockets }
                let sockets = make(loop)
                known[ObjectIdentifier(loop)] = sockets
                return sockets
            }
        }
    }
}
