/// Puts received packets of 20 ms back in order and evens out when they come, for RTP and the like.
///
/// `insert` when a packet arrives, `next` every 20 ms. Owns: order, waiting, when a packet is given up. Does not own: what
/// fills a gap (`LossConcealment`), sockets.
/// It waits as long as packets have lately been late, within named limits: an empty buffer makes the wait longer by itself,
/// and one that was never needed is shortened by a packet at a time.
package struct JitterBuffer: Sendable {
    /// Packets waiting before playing begins, and after a silence.
    static let depthStart = 2
    static let depthMin = 1
    /// 300 ms; what comes beyond pushes the oldest out.
    static let depthMax = 15
    /// The wait is shortened when the buffer was never below it for so long: two seconds of packets.
    static let shortenAfter = 100
    /// A sequence number so far from what is due is another stream: play what it brings.
    static let jumpMax = 250

    package struct Packet: Hashable, Sendable {
        /// RTP's; wraps.
        package var sequence: UInt16
        package var payload: [UInt8]
        package init(sequence: UInt16, payload: [UInt8]) {
            self.sequence = sequence
            self.payload = payload
        }
    }

    package enum Output: Hashable, Sendable {
        case packet([UInt8])
        /// Was due and did not come: to be concealed.
        case lost
        /// Nothing to play yet.
        case waiting
    }

    package struct Counts: Hashable, Sendable {
        package var received = 0
        package var duplicated = 0
        /// Came after its turn.
        package var late = 0
        package var lost = 0
        /// Thrown away to shorten the wait.
        package var dropped = 0
    }

    package private(set) var counts = Counts()
    /// Waiting packets by sequence number without wrapping, in order.
    private var waiting: [(number: Int, payload: [UInt8])] = []
    /// The number due next; nil before the first packet.
    private var due: Int?
    private var isPlaying = false
    private var highest = 0
    private var leastDepth = depthMax
    private var sinceShortened = 0

    package init() {}

    /// Packets waiting.
    package var depth: Int { waiting.count }

    package mutating func insert(_ packet: Packet) {
        counts.received += 1
        let number = unwrapped(packet.sequence)
        guard let due else { return begin(number, packet.payload) }
        if abs(number - due) > Self.jumpMax { return begin(number, packet.payload) }
        guard number >= due else { return counts.late += 1 }
        let place = waiting.lastIndex { $0.number <= number }
        if let place, waiting[place].number == number { return counts.duplicated += 1 }
        waiting.insert((number, packet.payload), at: place.map { $0 + 1 } ?? 0)
        highest = max(highest, number)
        if waiting.count > Self.depthMax { drop() }
    }

    /// What is to be played in the next 20 ms.
    package mutating func next() -> Output {
        guard let number = due else { return .waiting }
        if !isPlaying {
            guard waiting.count >= Self.depthStart else { return .waiting }
            isPlaying = true
        }
        guard let first = waiting.first else {
            // Nobody knows whether it is lost or late: what comes next is waited for anew.
            isPlaying = false
            restartShortening()
            return .waiting
        }
        due = number + 1
        guard first.number == number else {
            counts.lost += 1
            return .lost
        }
        waiting.removeFirst()
        shorten()
        return .packet(first.payload)
    }

    private mutating func begin(_ number: Int, _ payload: [UInt8]) {
        counts.dropped += waiting.count
        waiting = [(number, payload)]
        due = number
        highest = number
        isPlaying = false
        restartShortening()
    }

    /// Drops a packet when the buffer has been deeper than it need be all the while.
    private mutating func shorten() {
        leastDepth = min(leastDepth, waiting.count)
        sinceShortened += 1
        guard sinceShortened >= Self.shortenAfter else { return }
        if leastDepth > Self.depthMin { drop() }
        restartShortening()
    }

    private mutating func restartShortening() {
        leastDepth = Self.depthMax
        sinceShortened = 0
    }

    private mutating func drop() {
        let gone = waiting.removeFirst()
        counts.dropped += 1
        due = gone.number + 1
    }

    private func unwrapped(_ sequence: UInt16) -> Int {
        guard due != nil else { return Int(sequence) }
        return highest + Int(Int16(bitPattern: sequence &- UInt16(truncatingIfNeeded: highest)))
    }
}
