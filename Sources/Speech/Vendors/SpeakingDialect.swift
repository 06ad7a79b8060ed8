import Base
import NIOCore
import WebSockets

/// How one vendor is spoken with over a socket that carries several contexts, one a text. Pure.
protocol SpeakingDialect: Sendable {
    /// Where the socket goes, for this voice.
    func url(voice: String) -> String
    var headers: [(String, String)] { get }
    /// A socket is good for one voice alone.
    var isVoiceInURL: Bool { get }
    /// Contexts that one socket may carry at once.
    var contextsMax: Int { get }
    /// `vendor/model`, for usage.
    var source: String { get }
    /// Messages that have `text` spoken to its end as `context`.
    func speak(_ text: String, voice: String, context: String) -> [String]
    /// Messages that stop it.
    func cancel(context: String) -> [String]
    /// True: a cancelled context is the vendor's until it says that it is over.
    var holdsCancelled: Bool { get }
    /// The vendor closes a socket on which nothing is spoken after this.
    var idleMax: Duration { get }
    /// It closes one with 1008 when the account speaks too many texts at once.
    var closesAtLimit: Bool { get }
    /// nil: not what this vendor sends.
    func read(_ message: ByteBuffer) -> SpeakingMessage?
}

/// One message of a vendor.
struct SpeakingMessage {
    var context: String?
    var audio: ByteBuffer?
    /// Milliseconds from the beginning of the context.
    var words: [Word] = []
    /// Milliseconds from the beginning of this message's audio.
    var letters: [Letter] = []
    var isDone = false
    var fault: Fault?

    /// A character of the text and where it stands, from vendors that tell no words.
    struct Letter: Hashable {
        var text: String
        var startMs: Int
        var endMs: Int
    }
}

/// A message with one long member of base64, taken apart without a string being made of it.
struct AudioMessage {
    var audio: ByteBuffer?
    /// Everything else.
    var json: JSON

    /// nil: no JSON object, or a member that should be base64 and is not.
    init?(_ message: ByteBuffer, audioIn name: StaticString) {
        var audio = ByteBuffer()
        var place: Range<Int>?
        let isRead = message.withUnsafeReadableBytes { raw -> Bool in
            let bytes = raw.bindMemory(to: UInt8.self)
            guard let text = Self.find(name, in: bytes) else { return true }
            // A slash may be written with an escape: the slow way reads it below.
            guard !text.hasEscapes else { return true }
            place = text.range
            return Base64Bytes.decode(UnsafeBufferPointer(rebasing: bytes[text.range]), into: &audio)
        }
        guard isRead else { return nil }
        var rest = message
        if let place {
            rest = message.getSlice(at: message.readerIndex, length: place.lowerBound) ?? ByteBuffer()
            let tail = message.getSlice(
                at: message.readerIndex + place.upperBound, length: message.readableBytes - place.upperBound)
            rest.writeImmutableBuffer(tail ?? ByteBuffer())
        }
        guard let text = String(validating: rest.readableBytesView, as: UTF8.self),
            let json = JSON(parsing: text), json.object != nil
        else { return nil }
        if place == nil, let encoded = json["\(name)"]?.string {
            let isGood = Array(encoded.utf8).withUnsafeBufferPointer { Base64Bytes.decode($0, into: &audio) }
            guard isGood else { return nil }
        }
        self.json = json
        self.audio = audio.readableBytes > 0 ? audio : nil
    }

    /// Where the string of this top-level member stands.
    private static func find(_ name: StaticString, in bytes: UnsafeBufferPointer<UInt8>) -> JSONScan.Text? {
        var scan = JSONScan(bytes)
        guard scan.take(0x7B) else { return nil }
        repeat {
            guard let key = scan.text(), scan.take(0x3A) else { return nil }
            if scan.matches(key.range, name) { return scan.text() }
            guard scan.skipValue() else { return nil }
        } while scan.take(0x2C)
        return nil
    }
}
