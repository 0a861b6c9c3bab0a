// Passkeys are made and used by script alone: their forms are shown where the browser can do it.
(function () {
  'use strict'

  var can = window.PublicKeyCredential
  if (!can || !can.parseCreationOptionsFromJSON || !can.parseRequestOptionsFromJSON) return

  document.querySelectorAll('form[data-passkey]').forEach(function (form) {
    var fault = form.querySelector('[data-fault]')
    var isNew = form.dataset.passkey === 'create'
    form.hidden = false

    form.addEventListener('submit', function (event) {
      event.preventDefault()
      event.stopPropagation()
      fault.hidden = true
      var body = new URLSearchParams({ csrf: form.elements.csrf.value })
      fetch(form.dataset.options, { method: 'POST', body: body, redirect: 'error' }).then(function (answer) {
        if (!answer.ok) throw new Error(answer.status)
        return answer.json()
      }).then(function (options) {
        return isNew
          ? navigator.credentials.create({ publicKey: can.parseCreationOptionsFromJSON(options) })
          : navigator.credentials.get({ publicKey: can.parseRequestOptionsFromJSON(options) })
      }).then(function (credential) {
        form.elements.credential.value = JSON.stringify(credential.toJSON())
        form.submit()
      }).catch(function () {
        fault.hidden = false
        fault.focus()
      })
    })
  })
})()
