"""What an operator types, made into values of the model; Textual is not known here.

Takes the text of fields, gives commands' parts, or raises `NotAValue` whose message ends the
sentence a person reads beside the field. Fields are read as scenario files are, except that a bare
figure is taken in the unit its field shows.
"""
