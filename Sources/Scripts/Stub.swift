enum ScriptsStub {}
