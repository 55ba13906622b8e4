/// The version of this Usher: what `usher --version` prints, and the API's description.
public let usherVersion = "0.2.0"
